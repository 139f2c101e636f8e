// Animations while scrolling. The page is complete without them: elements are hidden only after the library has loaded,
// and never with reduced motion.

import { whenIdle } from "./idle.js";

/** @typedef {NonNullable<Window["ScrollTrigger"]>} Trigger */

const LIBRARY = ["gsap.min.js", "ScrollTrigger.min.js"];

/** Not in print, where parts below the window would be missing. */
const WELCOME = "screen and (prefers-reduced-motion: no-preference)";

/** Load the library when the browser is idle, if motion is welcome. */
export function start() {
  const query = matchMedia(WELCOME);
  const wait = () => (query.matches ? whenIdle(load) : query.addEventListener("change", wait, { once: true }));
  if (document.readyState === "complete") wait();
  else addEventListener("load", wait, { once: true });
}

function load() {
  for (const file of LIBRARY) {
    const script = document.createElement("script");
    script.src = `js/vendor/${file}`;
    script.async = false; // in this order
    if (file === LIBRARY[LIBRARY.length - 1]) script.addEventListener("load", move);
    document.head.append(script);
  }
}

function move() {
  const { gsap, ScrollTrigger } = window;
  // One script may have loaded without the other.
  if (!gsap || !ScrollTrigger) return;
  gsap.registerPlugin(ScrollTrigger);
  gsap.matchMedia().add(WELCOME, () => {
    comeIn(gsap, ScrollTrigger);
    once(ScrollTrigger, "#layers", (layers) =>
      gsap.from([...layers.children], { opacity: 0, x: -16, duration: 0.4, stagger: 0.06, clearProps: "opacity,transform" }),
    );
    once(ScrollTrigger, "#training-curves", (curves) =>
      gsap.fromTo(
        [...curves.querySelectorAll(".series path")],
        { strokeDasharray: 1, strokeDashoffset: 1 },
        { strokeDashoffset: 0, duration: 1.2, ease: "power1.inOut", clearProps: "strokeDasharray,strokeDashoffset" },
      ),
    );
    // Safe refresh: it does not interrupt the scrolling to a part.
    const observer = new ResizeObserver(() => ScrollTrigger.refresh(true));
    observer.observe(document.body);
    return () => observer.disconnect();
  });
}

/**
 * Fade in the elements below the window as they are scrolled into view.
 *
 * @param {Gsap} gsap
 * @param {Trigger} ScrollTrigger
 */
function comeIn(gsap, ScrollTrigger) {
  const below = [...document.querySelectorAll(".part > *")].filter((each) => each.getBoundingClientRect().top > innerHeight);
  gsap.set(below, { opacity: 0, y: 24 });
  const show = (/** @type {Element[]} */ batch) => gsap.to(batch, { opacity: 1, y: 0, duration: 0.5, stagger: 0.06, clearProps: "opacity,transform" });
  ScrollTrigger.batch(below, { start: "top 96%", once: true, onEnter: show });
}

/**
 * @param {Trigger} ScrollTrigger
 * @param {string} selector
 * @param {(element: Element) => void} run when it is first seen
 */
function once(ScrollTrigger, selector, run) {
  const element = document.querySelector(selector);
  if (element) ScrollTrigger.create({ trigger: element, start: "top 85%", once: true, onEnter: () => element.firstElementChild && run(element) });
}
