// What the answer hangs on: a heat map of the ink, and the ink without one square of it.

import { byId } from "./dom.js";
import { GridCursor, paintGrey, paintHeat } from "./grid.js";
import { WINDOW, blank, chanceOf, heatOf, nearest, partOf } from "./occlusion.js";
import { GRID } from "./pixels.js";
import { best, tellHold, tellReading } from "./story.js";

/**
 * @typedef {import("./occlusion.js").Place} Place
 * @typedef {import("./story.js").Reading} Reading
 * @typedef {{normalized: Uint8Array, places: Place[]}} Asked the ink, and the windows that were blanked in its copies
 */

/** The smallest fall of the chance, 0 to 1, that is painted in full colour: smaller ones are not worth the alarm. */
const FULL_HEAT = 0.05;

const heatCanvas = byId("heat-canvas", HTMLCanvasElement);
const holeCanvas = byId("hole-canvas", HTMLCanvasElement);
const frames = document.querySelectorAll("#heat-cursor, #hole-mark");
/** @type {(Asked & {without: Reading[], strongest: number}) | null} */
let shown = null;

new GridCursor(heatCanvas, "The square that is left out", GRID, { move: leaveOut, leave: () => shown && choose(shown.strongest) });

/**
 * @param {Asked} asked
 * @param {Reading} whole the reading of all the ink
 * @param {Reading[]} without the reading without each window
 */
export function show({ normalized, places }, whole, without) {
  const isRead = whole.state === "digit" || whole.state === "unsure";
  // What is no digit for the network still has parts that make it so: then the most probable digit is followed.
  const digit = best(whole);
  const chance = chanceOf(whole, digit);
  const changes = without.map((reading) => chance - chanceOf(reading, digit));
  const drops = isRead ? changes : changes.map((change) => -change);
  const strongest = drops.indexOf(Math.max(...drops));
  const heat = heatOf(places, drops);
  const hottest = Math.max(...heat, FULL_HEAT);
  shown = { normalized, places, without, strongest };
  paintHeat(heatCanvas, normalized, GRID, heat.map((value) => value / hottest));
  byId("heat-most").textContent = `${isRead ? "−" : "+"}${Math.round(100 * hottest)} points`;
  byId("hold-story").textContent = isRead
    ? tellHold(whole, without[strongest], partOf(normalized, places[strongest]))
    : `It is not read as a digit. Without its ${partOf(normalized, places[strongest])} part it would be read as ${tellReading(without[strongest])}.`;
  choose(strongest);
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {string} what the ink is read as without the window there
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
  const words = `Without this square: ${tellReading(without[index])}`;
  byId("hole-reading").textContent = words;
  return words;
}
