// Occlusion: blank one window of the ink at a time, and compare the answers.

import { GRID } from "../base/pixels.js";

/** Side in pixels of a blanked window: wider than a stroke, smaller than a loop. */
export const WINDOW = 5;

/** Pixels from one window to the next. One request may have 256 grids, which the windows and the original fit into. */
const STRIDE = 2;

/** @typedef {{left: number, top: number}} Place the upper left pixel of a window */

/**
 * @param {Uint8Array} normalized GRID x GRID levels, 255 = ink
 * @returns {Place[]} the windows with ink in them
 */
export function windowsOf(normalized) {
  /** @type {number[]} */
  const starts = [];
  for (let start = 0; start < GRID - WINDOW; start += STRIDE) starts.push(start);
  starts.push(GRID - WINDOW);
  const places = starts.flatMap((top) => starts.map((left) => ({ left, top })));
  return places.filter((place) => pixelsIn(place).some((pixel) => normalized[pixel] > 0));
}

/**
 * @param {Uint8Array} normalized GRID x GRID levels
 * @param {Place[]} places n of them
 * @returns {Uint8Array<ArrayBuffer>} n x GRID x GRID levels: a copy for each window, blank in that window
 */
export function blank(normalized, places) {
  const grids = new Uint8Array(places.length * normalized.length);
  places.forEach((place, copy) => {
    grids.set(normalized, copy * normalized.length);
    for (const pixel of pixelsIn(place)) grids[copy * normalized.length + pixel] = 0;
  });
  return grids;
}

/**
 * @param {Reading} reading
 * @param {number} digit
 * @returns {number} the probability that the ink is a digit, and this one
 */
export function chanceOf({ probabilities, digit_score }, digit) {
  return probabilities[digit] * digit_score;
}

/**
 * @param {Place[]} places
 * @param {number[]} drops of the probability without each window
 * @returns {Float64Array} for each pixel the mean drop of the windows over it; 0 without windows
 */
export function heatOf(places, drops) {
  const sums = new Float64Array(GRID * GRID);
  const counts = new Float64Array(GRID * GRID);
  places.forEach((place, index) => {
    for (const pixel of pixelsIn(place)) {
      sums[pixel] += drops[index];
      counts[pixel] += 1;
    }
  });
  return sums.map((sum, pixel) => sum / Math.max(counts[pixel], 1));
}

/**
 * @param {Place[]} places
 * @param {number} x column of the grid
 * @param {number} y row of the grid
 * @returns {number} index of the window with the nearest centre
 */
export function nearest(places, x, y) {
  const far = places.map(({ left, top }) => (left + WINDOW / 2 - x - 0.5) ** 2 + (top + WINDOW / 2 - y - 0.5) ** 2);
  return far.indexOf(Math.min(...far));
}

/**
 * @param {Uint8Array} normalized GRID x GRID levels with ink
 * @param {Place} place of a window
 * @returns {string} the part of the ink under the window's centre, such as "upper left", "middle" or "right"
 */
export function partOf(normalized, place) {
  const inked = [...normalized.keys()].filter((pixel) => normalized[pixel] > 0);
  const [across, down] = [
    thirdOf(place.left, inked.map((pixel) => pixel % GRID)),
    thirdOf(place.top, inked.map((pixel) => Math.floor(pixel / GRID))),
  ];
  const vertical = ["upper", "", "lower"][down];
  const horizontal = ["left", "", "right"][across];
  return [vertical, horizontal].filter(Boolean).join(" ") || "middle";
}

/**
 * @param {number} start of a window
 * @param {number[]} inked places of the ink on the same axis
 * @returns {number} 0, 1 or 2: the third of the ink under the window's centre; 1 if the ink is hardly wider than the window
 */
function thirdOf(start, inked) {
  const low = Math.min(...inked);
  const size = Math.max(...inked) + 1 - low;
  if (size < 2 * WINDOW) return 1;
  const third = Math.floor((3 * (start + WINDOW / 2 - low)) / size);
  return Math.min(Math.max(third, 0), 2);
}

/**
 * @param {Place} place
 * @returns {number[]} the pixels in its window
 */
function pixelsIn({ left, top }) {
  return Array.from({ length: WINDOW ** 2 }, (_, i) => (top + Math.floor(i / WINDOW)) * GRID + left + (i % WINDOW));
}
