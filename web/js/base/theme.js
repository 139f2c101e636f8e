// The theme's button: follows the system, or is light or dark, from one press to the next.

import { byId } from "./dom.js";

const NAMES = { system: "System theme", light: "Light theme", dark: "Dark theme" };

/** @typedef {keyof typeof NAMES} Theme */

/** @type {Theme[]} */
const ORDER = ["system", "light", "dark"];

const root = document.documentElement;
/** @type {NodeListOf<HTMLMetaElement>} */
const bars = document.querySelectorAll('meta[name="theme-color"]');
const barColours = [...bars].map(({ content }) => content);
const button = byId("theme");
const label = byId("theme-name");

/** @returns {Theme} */
function current() {
  const theme = root.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** @param {Theme} theme */
function choose(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  show();
}

/** The name tells what is chosen, the title what a press does. */
function show() {
  const theme = current();
  button.dataset.choice = theme;
  label.textContent = NAMES[theme];
  button.title = `${NAMES[theme]}; press for: ${NAMES[next(theme)].toLowerCase()}`;
  // The browser's own bar: of the page's two colours it takes the system's, unless both are one.
  bars.forEach((bar, i) => (bar.content = barColours[theme === "system" ? i : Number(theme === "dark")]));
}

/**
 * @param {Theme} theme
 * @returns {Theme}
 */
function next(theme) {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
}

button.addEventListener("click", () => choose(next(current())));
show();
