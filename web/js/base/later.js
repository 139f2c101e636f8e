import { byId } from "./dom.js";

/**
 * Run before a part of the page is seen: when it is less than a screen away, by a link to any part, or for print.
 *
 * @param {Element} part
 * @param {() => void} run
 */
export function beforeSeen(part, run) {
  const done = new AbortController();
  const start = () => {
    done.abort();
    observer.disconnect();
    run();
  };
  const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && start(), { rootMargin: "100%" });
  observer.observe(part);
  byId("parts").addEventListener("click", start, { signal: done.signal });
  addEventListener("beforeprint", start, { signal: done.signal });
}
