// Finds the sets of strokes that may be one digit, and draws them: serving/numbers/candidates.py, with the operations in
// the same order.

import { rasterize } from "../base/raster.js";

/** The most strokes of a digit. */
const MAX_RUN = 4;

/** Side of a candidate's picture, the height of the line in it, and the width of the pen relative to that height. */
export const SIDE = 64;
const LINE = 28;
const PEN = 0.12;

/** Wider or higher candidates, in line heights, are not drawn. */
const MAX_EXTENT = 1.85;

/** Some of the strokes are a candidate only up to this width. */
const MAX_WIDTH_OF_SOME = 1.4;

/** The line is at least a share of the sheet and of the widest stroke, and at most so many times as high as the strokes. */
const LEAST_LINE = 0.04;
const LEAST_OF_WIDEST = 0.2;
const MOST_OF_STROKES = 1.5;

/**
 * @typedef {object} NumberBox a part of the sheet, which is 0 to 1
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/**
 * @typedef {object} Candidate strokes that may be one digit; lengths are in line heights
 * @property {number[]} strokes their indices, ascending
 * @property {number} mask a bit for each of the strokes, in the order from left to right
 * @property {NumberBox} box of the pen's path
 * @property {number} lowness how much lower it is than the line, at least 0
 * @property {number} width
 * @property {number} gap the widest gap between its strokes, from left to right
 * @property {number} nLate strokes of other digits that were drawn between its strokes
 */

/**
 * @param {readonly Stroke[]} strokes
 * @returns {NumberBox[]}
 */
export function boxesOf(strokes) {
  return strokes.map((stroke) => join(stroke.map(([x, y]) => ({ left: x, top: y, right: x, bottom: y }))));
}

/**
 * @param {NumberBox[]} boxes
 * @returns {NumberBox} around them
 */
function join(boxes) {
  return boxes.reduce((box, { left, top, right, bottom }) => ({
    left: Math.min(box.left, left),
    top: Math.min(box.top, top),
    right: Math.max(box.right, right),
    bottom: Math.max(box.bottom, bottom),
  }));
}

/**
 * @param {NumberBox[]} boxes of the strokes
 * @returns {number} the estimated height of the digits
 */
export function lineHeight(boxes) {
  /** @type {NumberBox[]} around strokes that overlap from left to right */
  const groups = [];
  for (const box of fromLeft(boxes)) {
    const last = groups.at(-1);
    if (last && box.left <= last.right) groups[groups.length - 1] = join([last, box]);
    else groups.push(box);
  }
  const [ofGroups, ofStrokes] = [groups, boxes].map((some) => some.map(({ top, bottom }) => bottom - top).sort((a, b) => b - a));
  const widest = Math.max(...boxes.map(({ left, right }) => right - left));
  const line = Math.min(ofGroups[Math.floor((groups.length - 1) / 3)], MOST_OF_STROKES * ofStrokes[Math.floor(boxes.length / 4)]);
  return Math.max(line, LEAST_OF_WIDEST * widest, LEAST_LINE);
}

/**
 * @param {NumberBox[]} boxes of the strokes, at most 30
 * @param {number} line the result of `lineHeight`
 * @returns {Candidate[]}
 */
export function findCandidates(boxes, line) {
  const drawn = [...boxes.keys()];
  const places = [...drawn].sort((a, b) => centreOf(boxes[a]) - centreOf(boxes[b]));
  /** @type {Map<number, Candidate>} */
  const found = new Map();
  for (const order of [places, drawn]) {
    for (const start of drawn) {
      const lengths = drawn.slice(0, Math.min(MAX_RUN, boxes.length - start)).map((index) => index + 1);
      for (const length of start === 0 ? [...lengths, boxes.length] : lengths) {
        const strokes = order.slice(start, start + length).sort((a, b) => a - b);
        const mask = strokes.reduce((bits, index) => bits | (1 << places.indexOf(index)), 0);
        const box = join(strokes.map((index) => boxes[index]));
        const [width, height] = [(box.right - box.left) / line, (box.bottom - box.top) / line];
        const maxWidth = length > 1 && length < boxes.length ? MAX_WIDTH_OF_SOME : MAX_EXTENT;
        if (found.has(mask) || width > maxWidth || height > MAX_EXTENT) continue;
        const gap = gapIn(strokes.map((index) => boxes[index])) / line;
        const nLate = strokes[strokes.length - 1] - strokes[0] + 1 - strokes.length;
        found.set(mask, { strokes, mask, box, lowness: Math.max(1 - height, 0), width, gap, nLate });
      }
    }
  }
  return [...found.values()];
}

/**
 * @param {NumberBox[]} boxes
 * @returns {number} the widest gap between them, from left to right
 */
function gapIn(boxes) {
  const [first, ...others] = fromLeft(boxes);
  let [widest, end] = [0, first.right];
  for (const { left, right } of others) {
    widest = Math.max(widest, left - end);
    end = Math.max(end, right);
  }
  return widest;
}

/**
 * @param {readonly Stroke[]} strokes on the sheet
 * @param {NumberBox[]} boxes of the strokes
 * @param {Candidate[]} candidates
 * @param {number} line the result of `lineHeight`
 * @returns {Uint8Array<ArrayBuffer>[]} SIDE x SIDE levels of each candidate, 255 = ink
 */
export function drawCandidates(strokes, boxes, candidates, line) {
  const scale = LINE / line;
  const corners = boxes.map((box) => cornerOf(box, scale));
  // Each stroke is drawn once, in a tile of its own.
  const placed = strokes.map((stroke, place) =>
    stroke.map(([x, y]) => /** @type {Point} */ ([x * scale + (place * SIDE - corners[place].left), y * scale - corners[place].top])));
  const stride = SIDE * strokes.length;
  const tiles = rasterize(placed, stride, SIDE, PEN * LINE);
  return candidates.map((candidate) => {
    const corner = cornerOf(candidate.box, scale);
    const picture = new Uint8Array(SIDE * SIDE);
    for (const index of candidate.strokes) {
      const [right, down] = [corners[index].left - corner.left, corners[index].top - corner.top];
      for (let y = Math.max(down, 0); y < SIDE + Math.min(down, 0); y += 1) {
        for (let x = Math.max(right, 0); x < SIDE + Math.min(right, 0); x += 1) {
          const level = tiles[(y - down) * stride + index * SIDE + x - right];
          if (level > picture[y * SIDE + x]) picture[y * SIDE + x] = level;
        }
      }
    }
    return picture;
  });
}

/**
 * @param {NumberBox} box
 * @param {number} scale
 * @returns {{left: number, top: number}} of the square of SIDE pixels with the box in its middle
 */
function cornerOf(box, scale) {
  const y = ((box.top + box.bottom) / 2) * scale;
  return { left: Math.floor(centreOf(box) * scale) - SIDE / 2, top: Math.floor(y) - SIDE / 2 };
}

/**
 * @param {NumberBox} box
 * @returns {number}
 */
function centreOf({ left, right }) {
  return (left + right) / 2;
}

/**
 * @param {NumberBox[]} boxes
 * @returns {NumberBox[]} sorted
 */
function fromLeft(boxes) {
  return [...boxes].sort((a, b) => a.left - b.left);
}
