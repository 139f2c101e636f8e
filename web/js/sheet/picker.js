// The sample digits: a button for each, with its drawing on it.

import { html, svg } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { SAMPLES } from "./samples.js";
import { decodeStrokes } from "./strokes.js";

/** @param {(strokes: Stroke[]) => void} take receives the drawing of a pressed button */
export function addSamples(take) {
  SAMPLES.forEach((code, digit) => {
    const strokes = decodeStrokes(code);
    if (strokes) byId("samples").append(sampleButton(strokes, digit, take));
  });
}

/**
 * @param {Stroke[]} strokes
 * @param {number} digit
 * @param {(strokes: Stroke[]) => void} take
 * @returns {HTMLButtonElement}
 */
function sampleButton(strokes, digit, take) {
  const lines = strokes.map((stroke) => svg("polyline", { points: stroke.map(([x, y]) => `${100 * x},${100 * y}`).join(" ") }));
  const picture = svg("svg", { viewBox: "15 15 70 70", "aria-hidden": "true" }, ...lines);
  return html("button.button.sample", { type: "button", "aria-label": `Draw a sample ${digit}`, onclick: () => take(strokes) }, picture);
}
