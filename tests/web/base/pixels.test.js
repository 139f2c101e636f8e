import assert from "node:assert/strict";
import { test } from "node:test";

import * as pixels from "../../../web/js/base/pixels.js";

const { GRID, FIT } = pixels;

/** GRID x GRID levels with a filled rectangle. */
function gridWith({ left, top, width, height, level = 255 }) {
  const grid = new Uint8Array(GRID * GRID);
  for (let y = top; y < top + height; y += 1) grid.fill(level, y * GRID + left, y * GRID + left + width);
  return grid;
}

test("base64 becomes bytes", () => {
  assert.deepEqual([...pixels.bytesOf("AAEC/w==")], [0, 1, 2, 255]);
});

test("colours become grey as the service's decoder makes them", () => {
  assert.deepEqual([...pixels.greyOf(Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 255, 9, 9, 9, 255))], [76, 150, 9]);
});

test("dark ink on light paper is turned round, light ink on dark is not", () => {
  const paper = new Uint8Array(12).fill(250);
  paper[5] = 10;
  assert.deepEqual([...pixels.inkOf(paper, 4, 3)], [5, 5, 5, 5, 5, 245, 5, 5, 5, 5, 5, 5]);
  const board = paper.map((level) => 255 - level);
  assert.deepEqual([...pixels.inkOf(board, 4, 3)], [...board]);
});

test("ink that touches a part of the border does not count as paper", () => {
  const paper = new Uint8Array(100).fill(240);
  paper.fill(0, 0, 14);
  assert.equal(pixels.isLight(paper, 10, 10), true);
});

test("squeezing takes means, and the whole picture whatever its shape", () => {
  const width = 56;
  const height = 84;
  const levels = new Uint8Array(width * height);
  levels[0] = levels[1] = levels[width] = 200; // three of the six pixels that the first one covers
  levels[width * height - 1] = 120;
  const squeezed = pixels.squeeze(levels, width, height);
  assert.equal(squeezed.length, GRID * GRID);
  assert.equal(squeezed[0], 100);
  assert.equal(squeezed[GRID * GRID - 1], 20);
  assert.equal(squeezed.filter(Boolean).length, 2);
});

test("a picture smaller than the grid is spread over it", () => {
  const squeezed = pixels.squeeze(Uint8Array.of(10, 20, 30, 40), 2, 2);
  assert.deepEqual([squeezed[0], squeezed[GRID - 1], squeezed[GRID * (GRID - 1)], squeezed.at(-1)], [10, 20, 30, 40]);
});

test("the crop has the box's shape and lies where the ink is", () => {
  const grid = gridWith({ left: 7, top: 3, width: 11, height: 20 });
  grid[0] = 9; // faint ink outside the box
  const crop = pixels.cropOf(grid, { left: 50, top: 40, right: 105, bottom: 140 });
  assert.deepEqual(crop, { left: 7, top: 3, width: 11, height: 20 });
});

test("the longest side has 20 pixels, also when the other has next to none", () => {
  const grid = gridWith({ left: 5, top: 14, width: 20, height: 1 });
  const crop = pixels.cropOf(grid, { left: 0, top: 9, right: 200, bottom: 10 });
  assert.deepEqual(crop, { left: 5, top: 14, width: 20, height: 1 });
});

test("the fit is the crop's own pixels in the middle of 20 by 20", () => {
  const crop = { left: 9, top: 2, width: 6, height: 20 };
  const fit = pixels.fitOf(gridWith({ ...crop, level: 77 }), crop);
  assert.equal(fit.length, FIT * FIT);
  assert.deepEqual([fit[6], fit[7], fit[12], fit[13]], [0, 77, 77, 0]);
  assert.equal(fit.filter((level) => level === 77).length, 6 * 20);
});

test("the centre of mass is measured from the grid's edge", () => {
  assert.deepEqual(pixels.centreOfMass(gridWith({ left: 14, top: 14, width: 1, height: 1 })), { x: 14.5, y: 14.5 });
  const grid = gridWith({ left: 0, top: 0, width: 1, height: 1, level: 100 });
  grid[10] = 200;
  assert.deepEqual(pixels.centreOfMass(grid).y, 0.5);
  assert.ok(Math.abs(pixels.centreOfMass(grid).x - (0.5 + 20 / 3)) < 1e-9);
});

test("the shift is told against centring the box", () => {
  assert.deepEqual(pixels.shiftOf({ left: 7, top: 5, width: 11, height: 20 }), { right: -1.5, down: 1 });
});
