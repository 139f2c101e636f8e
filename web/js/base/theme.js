// The button for the theme: system, light or dark.

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
    // Storage is blocked, so the choice is lost with the page.
  }
  show();
}

/** Show the chosen theme as the name, and the next one in the title. */
function show() {
  const theme = current();
  button.dataset.choice = theme;
  label.textContent = NAMES[theme];
  button.title = `${NAMES[theme]}; press for: ${NAMES[next(theme)].toLowerCase()}`;
  // The browser's bar takes the colour of the system's theme, unless both entries have the same colour.
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
