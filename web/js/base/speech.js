// What a screen reader says.

import { byId } from "./dom.js";

/** @param {string} sentence */
export function say(sentence) {
  byId("speech").textContent = sentence;
}
