// The sample digits: a button for each, with its drawing on it.

import { html, svg } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { SAMPLES } from "./samples.js";
import { decodeStrokes } from "./strokes.js";

/**
 * @param {number} digit
 * @returns {Stroke[]}
 */
export function sampleOf(digit) {
  return decodeStrokes(SAMPLES[digit]) ?? [];
}

/** @param {(digit: number) => void} take runs when a button is pressed */
export function addSamples(take) {
  byId("samples").append(...SAMPLES.map((_, digit) => sampleButton(digit, take)));
}

/**
 * @param {number} digit
 * @param {(digit: number) => void} take
 * @returns {HTMLButtonElement}
 */
function sampleButton(digit, take) {
  const lines = sampleOf(digit).map((stroke) => svg("polyline", { points: stroke.map(([x, y]) => `${100 * x},${100 * y}`).join(" ") }));
  const picture = svg("svg", { viewBox: "15 15 70 70", "aria-hidden": "true" }, ...lines);
  return html("button.button.sample", { type: "button", "aria-label": `Draw a sample ${digit}`, "aria-keyshortcuts": String(digit), onclick: () => take(digit) }, picture);
}
