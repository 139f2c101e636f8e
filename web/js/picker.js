// The sample digits: a button for each, with its drawing on it.

import { byId } from "./dom.js";
import { SAMPLES } from "./samples.js";
import { decodeStrokes } from "./strokes.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Puts the buttons into the page.
 *
 * @param {(strokes: Stroke[]) => void} take gets the drawing of the button that is pressed
 */
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
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button sample";
  button.ariaLabel = `Draw a sample ${digit}`;
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "15 15 70 70");
  picture.setAttribute("aria-hidden", "true");
  for (const stroke of strokes) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", stroke.map(([x, y]) => `${100 * x},${100 * y}`).join(" "));
    picture.append(line);
  }
  button.append(picture);
  button.addEventListener("click", () => take(strokes));
  return button;
}
