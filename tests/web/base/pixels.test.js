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

test("bytes are decoded, and colours become grey like in the service", () => {
  assert.deepEqual([...pixels.bytesOf("AAEC/w==")], [0, 1, 2, 255]);
  assert.deepEqual([...pixels.greyOf(Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 255, 9, 9, 9, 255))], [76, 150, 9]);
});

test("dark ink on light paper is inverted, also if it touches the border; light ink on dark is not", () => {
  const paper = new Uint8Array(12).fill(250);
  paper[5] = 10;
  assert.deepEqual([...pixels.inkOf(paper, 4, 3)], [5, 5, 5, 5, 5, 245, 5, 5, 5, 5, 5, 5]);
  const board = paper.map((level) => 255 - level);
  assert.deepEqual([...pixels.inkOf(board, 4, 3)], [...board]);
  assert.equal(pixels.isLight(new Uint8Array(100).fill(240).fill(0, 0, 14), 10, 10), true);
});

test("resizing takes means over the whole picture, whatever its shape and size", () => {
  const [width, height] = [56, 84];
  const levels = new Uint8Array(width * height);
  levels[0] = levels[1] = levels[width] = 200; // three of the six pixels of the first mean
  levels[width * height - 1] = 120;
  const squeezed = pixels.squeeze(levels, width, height);
  assert.deepEqual([squeezed.length, squeezed[0], squeezed.at(-1), squeezed.filter(Boolean).length], [GRID * GRID, 100, 20, 2]);
  const spread = pixels.squeeze(Uint8Array.of(10, 20, 30, 40), 2, 2);
  assert.deepEqual([spread[0], spread[GRID - 1], spread[GRID * (GRID - 1)], spread.at(-1)], [10, 20, 30, 40]);
});

test("the crop has the shape of the box, 20 pixels on its longest side, and the place of the ink", () => {
  const tall = { left: 7, top: 3, width: 11, height: 20 };
  const grid = gridWith(tall);
  grid[0] = 9; // faint ink outside the box
  assert.deepEqual(pixels.cropOf(grid, { left: 50, top: 40, right: 105, bottom: 140 }), tall);
  const flat = { left: 5, top: 14, width: 20, height: 1 };
  assert.deepEqual(pixels.cropOf(gridWith(flat), { left: 0, top: 9, right: 200, bottom: 10 }), flat);
});

test("the fit has the crop's pixels in the middle of 20 by 20", () => {
  const crop = { left: 9, top: 2, width: 6, height: 20 };
  const fit = pixels.fitOf(gridWith({ ...crop, level: 77 }), crop);
  assert.equal(fit.length, FIT * FIT);
  assert.deepEqual([fit[6], fit[7], fit[12], fit[13]], [0, 77, 77, 0]);
  assert.equal(fit.filter((level) => level === 77).length, 6 * 20);
});

test("the centre of mass is measured from the grid's edge, the shift from the centred box", () => {
  assert.deepEqual(pixels.centreOfMass(gridWith({ left: 14, top: 14, width: 1, height: 1 })), { x: 14.5, y: 14.5 });
  const grid = gridWith({ left: 0, top: 0, width: 1, height: 1, level: 100 });
  grid[10] = 200;
  const { x, y } = pixels.centreOfMass(grid);
  assert.equal(y, 0.5);
  assert.ok(Math.abs(x - (0.5 + 20 / 3)) < 1e-9);
  assert.deepEqual(pixels.shiftOf({ left: 7, top: 5, width: 11, height: 20 }), { right: -1.5, down: 1 });
});

test("parts of the ink are counted without specks, also if they touch the grid's sides", () => {
  const [left, right] = [gridWith({ left: 0, top: 2, width: 4, height: 20 }), gridWith({ left: 24, top: 3, width: 4, height: 20 })];
  const both = left.map((level, pixel) => level || right[pixel]);
  both[14 * GRID + 14] = 255;
  assert.deepEqual([left, both, new Uint8Array(GRID * GRID)].map(pixels.countParts), [1, 2, 0]);
});
