// The buttons that copy code, and the commands' address.

import { copyBy } from "../base/clipboard.js";
import { byId } from "../base/dom.js";

/** Has every button with `data-copy` copy the text of the element that it names, and the commands ask this very service. */
export function start() {
  const origin = new URL(".", document.baseURI).href.replace(/\/$/, "");
  for (const place of document.querySelectorAll("[data-origin]")) place.textContent = origin;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
    button.addEventListener("click", () => copyBy(button, byId(button.dataset.copy ?? "").textContent ?? ""));
  }
}
