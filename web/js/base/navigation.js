// Tells in the list of parts which one is being read.

/** Follows the parts as their tops pass a line below the list; between two, the last one stays. */
export function start() {
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("#parts a");
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        for (const link of links) {
          if (link.hash === `#${target.id}`) mark(link);
          else link.removeAttribute("aria-current");
        }
      }
    },
    { rootMargin: "-15% 0px -84% 0px" },
  );
  for (const link of links) {
    const part = document.querySelector(link.hash);
    if (part) observer.observe(part);
    link.addEventListener("click", scrollSmoothly);
  }
}

/** This once: whoever moves the focus by the keyboard should see at once where it is. */
function scrollSmoothly() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const { style } = document.documentElement;
  style.scrollBehavior = "smooth";
  addEventListener("scrollend", () => style.removeProperty("scroll-behavior"), { once: true });
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
