// Speech output through the page's live region.

import { byId } from "./dom.js";

/** @param {string} sentence */
export function say(sentence) {
  byId("speech").textContent = sentence;
}
