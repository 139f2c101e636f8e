// Puts text on the clipboard, also where the page was opened over plain http.

import { say } from "./speech.js";

/** How long a button tells what came of it. */
const TOLD_MS = 2000;

/**
 * The clipboard's own interface exists on https and localhost only; on plain http, the old command copies a selection.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser let the page copy it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/**
 * Copies a text, and tells for a moment on the button that was pressed what came of it.
 *
 * @param {HTMLElement} button
 * @param {string} text
 */
export async function copyBy(button, text) {
  const told = (await copyText(text)) ? "Copied" : "Select it, and copy";
  button.textContent = told;
  say(`${told}.`);
  setTimeout(() => (button.textContent = "Copy"), TOLD_MS);
}

/**
 * @param {string} text
 * @returns {boolean}
 */
function copySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  // Where the window is: selecting it at the page's end would scroll there. The class would fold the lines into one.
  area.style.position = "fixed";
  area.style.whiteSpace = "pre";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
