// Marks the current part in the list of parts.

/** Mark a part when its top passes a line below the list. */
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

/** Scroll smoothly only for clicks, so that keyboard focus moves at once. */
function scrollSmoothly() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const { style } = document.documentElement;
  style.scrollBehavior = "smooth";
  addEventListener("scrollend", () => style.removeProperty("scroll-behavior"), { once: true });
}

/** @param {HTMLAnchorElement} link */
function mark(link) {
  link.setAttribute("aria-current", "true");
  // On a phone the list scrolls. Not scrollIntoView, because it would interrupt the scrolling of the page.
  const list = link.closest("ul");
  if (list) list.scrollLeft = link.offsetLeft + link.offsetWidth / 2 - list.clientWidth / 2;
}
