// A heat map of the ink that matters for the answer, and the ink without one square of it.

import { byId } from "../base/dom.js";
import { GridCursor, paintGrey, paintHeat } from "../base/grid.js";
import { WINDOW, blank, chanceOf, heatOf, nearest, partOf } from "./occlusion.js";
import { GRID } from "../base/pixels.js";
import { best, isRead, isSame, mostDecisive, occlusionText, readingText } from "./sentences.js";

/**
 * @typedef {import("./occlusion.js").Place} Place
 * @typedef {{normalized: Uint8Array, places: Place[]}} Asked the ink, and the windows that are blank in its copies
 */

/** The smallest drop of the probability, 0 to 1, that gets the full colour. */
const FULL_HEAT = 0.05;

const heatCanvas = byId("heat-canvas", HTMLCanvasElement);
const holeCanvas = byId("hole-canvas", HTMLCanvasElement);
const frames = document.querySelectorAll("#heat-cursor, #hole-mark");
/** @type {(Asked & {without: Reading[], strongest: number}) | null} */
let shown = null;

new GridCursor(heatCanvas, "The square that is left out", GRID, {
  move: leaveOut,
  leave: () => shown && choose(shown.strongest),
});

/**
 * @typedef {object} Found the part that matters most
 * @property {number} strongest index of its window
 * @property {number[]} changes by how much the chance of the digit falls without each window
 * @property {boolean} isDecisive whether the reading is another without the part
 * @property {string} text a sentence about it
 */

/**
 * Find the part that matters most.
 *
 * @param {Asked} asked
 * @param {Reading} whole the reading of all the ink
 * @param {Reading[]} without the reading without each window
 * @returns {Found}
 */
export function findPart({ normalized, places }, whole, without) {
  // For ink that is not read as a digit, the parts matter without which the likeliest digit is likelier.
  const sign = isRead(whole) ? 1 : -1;
  const digit = best(whole);
  const changes = without.map((reading) => sign * (chanceOf(whole, digit) - chanceOf(reading, digit)));
  const strongest = mostDecisive(whole, without, changes);
  const text = occlusionText(whole, without[strongest], partOf(normalized, places[strongest]));
  return { strongest, changes, isDecisive: !isSame(whole, without[strongest]), text };
}

/**
 * @param {Asked} asked
 * @param {Reading} whole the reading of all the ink
 * @param {Reading[]} without the reading without each window
 * @param {Found} found
 */
export function show({ normalized, places }, whole, without, { strongest, changes, text }) {
  const heat = heatOf(places, changes);
  const hottest = Math.max(...heat, FULL_HEAT);
  shown = { normalized, places, without, strongest };
  paintHeat(heatCanvas, normalized, GRID, heat.map((value) => value / hottest));
  byId("heat-most").textContent = `${isRead(whole) ? "−" : "+"}${Math.round(100 * hottest)} points`;
  byId("hold-story").textContent = text;
  choose(strongest);
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {string} the reading without the window there
 */
function leaveOut(x, y) {
  return shown ? choose(nearest(shown.places, x, y)) : "";
}

/**
 * @param {number} index of a window
 * @returns {string}
 */
function choose(index) {
  if (!shown) return "";
  const { normalized, places, without } = shown;
  const place = places[index];
  for (const frame of frames) {
    frame.setAttribute("x", String(place.left));
    frame.setAttribute("y", String(place.top));
    frame.setAttribute("width", String(WINDOW));
    frame.setAttribute("height", String(WINDOW));
  }
  paintGrey(holeCanvas, blank(normalized, [place]), GRID);
  const words = `Without this square: ${readingText(without[index])}`;
  byId("hole-reading").textContent = words;
  return words;
}
