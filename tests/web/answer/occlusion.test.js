import assert from "node:assert/strict";
import { test } from "node:test";

import * as occlusion from "../../../web/js/answer/occlusion.js";
import { GRID } from "../../../web/js/base/pixels.js";

const { WINDOW } = occlusion;

/** GRID x GRID levels with ink in the given columns and rows, including both ends. */
function inkIn(left, top, right, bottom) {
  return Uint8Array.from({ length: GRID * GRID }, (_, pixel) => {
    const [x, y] = [pixel % GRID, Math.floor(pixel / GRID)];
    return x >= left && x <= right && y >= top && y <= bottom ? 255 : 0;
  });
}

const FULL = inkIn(0, 0, GRID - 1, GRID - 1);

test("the windows cover all ink, skip empty places, and fit into one request", () => {
  const places = occlusion.windowsOf(FULL);
  assert.ok(places.length < 256);
  assert.ok(occlusion.heatOf(places, places.map(() => 1)).every((heat) => heat === 1));
  const around = occlusion.windowsOf(inkIn(10, 10, 10, 10));
  assert.equal(around.length, 9);
  assert.ok(around.every(({ left, top }) => left <= 10 && left + WINDOW > 10 && top <= 10 && top + WINDOW > 10));
  assert.deepEqual(occlusion.windowsOf(new Uint8Array(GRID * GRID)), []);
});

test("each copy is blank only in its own window", () => {
  const copies = occlusion.blank(FULL, [{ left: 0, top: 0 }, { left: 23, top: 23 }]);
  assert.equal(copies.length, 2 * GRID * GRID);
  const [first, second] = [copies.subarray(0, GRID * GRID), copies.subarray(GRID * GRID)];
  assert.equal(first.filter((level) => level === 0).length, WINDOW ** 2);
  assert.deepEqual([first[0], first[4 * GRID + 4], first[5], first.at(-1)], [0, 0, 255, 255]);
  assert.deepEqual([second[0], second.at(-1)], [255, 0]);
  assert.ok(FULL.every((level) => level === 255), "the original is unchanged");
});

test("heat is the mean of the windows over a pixel", () => {
  const heat = occlusion.heatOf([{ left: 0, top: 0 }, { left: 2, top: 0 }], [0.2, 0.6]);
  assert.deepEqual([heat[0], heat[2], heat[6], heat[7]], [0.2, 0.4, 0.6, 0]);
});

test("a chance is the probability of a digit times that of this digit", () => {
  assert.equal(occlusion.chanceOf({ probabilities: [0.25, 0.75], digit_score: 0.5 }, 1), 0.375);
});

test("the nearest window has the nearest centre", () => {
  const places = [{ left: 0, top: 0 }, { left: 2, top: 0 }, { left: 20, top: 20 }];
  assert.deepEqual([[2, 2], [4, 2], [27, 27]].map(([x, y]) => occlusion.nearest(places, x, y)), [0, 1, 2]);
});

test("a window's part is named by thirds of the ink, and a thin stroke has no left or right", () => {
  const places = [[4, 4], [12, 4], [19, 12], [12, 12], [18, 23]];
  const parts = places.map(([left, top]) => occlusion.partOf(inkIn(4, 4, 23, 23), { left, top }));
  assert.deepEqual(parts, ["upper left", "upper", "right", "middle", "lower right"]);
  assert.equal(occlusion.partOf(inkIn(13, 4, 15, 23), { left: 15, top: 22 }), "lower");
});
