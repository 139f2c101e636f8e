// The buttons that copy code, and the commands' address.

import { copyText } from "./clipboard.js";
import { byId } from "./dom.js";

/** How long a button tells what came of it. */
const TOLD_MS = 2000;

/** Has every button with `data-copy` copy the text of the element that it names, and the commands ask this very service. */
export function start() {
  const origin = new URL(".", document.baseURI).href.replace(/\/$/, "");
  for (const place of document.querySelectorAll("[data-origin]")) place.textContent = origin;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
    button.addEventListener("click", () => copy(button));
  }
}

/**
 * @param {HTMLElement} button
 */
async function copy(button) {
  const isCopied = await copyText(byId(button.dataset.copy ?? "").textContent ?? "");
  const told = isCopied ? "Copied" : "Select it, and copy";
  button.textContent = told;
  byId("speech").textContent = `${told}.`;
  setTimeout(() => (button.textContent = "Copy"), TOLD_MS);
}
