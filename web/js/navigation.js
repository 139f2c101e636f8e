// Tells in the list of parts which one is being read.

/** Follows the parts as they pass the upper third of the window. */
export function start() {
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("#parts a");
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = [...links].find(({ hash }) => hash === `#${target.id}`);
        if (!link) continue;
        if (isIntersecting) mark(link);
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-33% 0px -66% 0px" },
  );
  for (const { hash } of links) {
    const part = document.querySelector(hash);
    if (part) observer.observe(part);
  }
}

/**
 * @param {HTMLAnchorElement} link
 */
function mark(link) {
  link.setAttribute("aria-current", "true");
  // On a phone, not all of the list is seen. Not scrollIntoView: it would hold up the page's own scrolling.
  const list = link.closest("ul");
  if (list) list.scrollLeft = link.offsetLeft + link.offsetWidth / 2 - list.clientWidth / 2;
}
