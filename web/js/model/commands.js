// The commands in the page: their copy buttons, and the service's address in them.

import { copyBy } from "../base/clipboard.js";
import { byId } from "../base/dom.js";

/** Fill in the address of this service, and make every `data-copy` button copy the element that it names. */
export function start() {
  const origin = new URL(".", document.baseURI).href.replace(/\/$/, "");
  for (const place of document.querySelectorAll("[data-origin]")) place.textContent = origin;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
    button.addEventListener("click", () => copyBy(button, byId(button.dataset.copy ?? "").textContent ?? ""));
  }
}
