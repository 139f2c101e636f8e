// Copies text to the clipboard, also on plain http.

import { say } from "./speech.js";

/** How long a button shows the result. */
const RESULT_MS = 2000;

/**
 * Copy a text. The clipboard API exists on https and localhost only; plain http needs the old command.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
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
 * Copy a text, and show the result on the button for a moment.
 *
 * @param {HTMLElement} button
 * @param {string} text
 */
export async function copyBy(button, text) {
  const result = (await copyText(text)) ? "Copied" : "Select it, and copy";
  button.textContent = result;
  say(`${result}.`);
  setTimeout(() => (button.textContent = "Copy"), RESULT_MS);
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
  // Fixed, because selecting it at the end of the page would scroll. The class would drop the line breaks.
  area.style.position = "fixed";
  area.style.whiteSpace = "pre";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
