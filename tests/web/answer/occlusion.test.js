import assert from "node:assert/strict";
import { test } from "node:test";

import * as occlusion from "../../../web/js/answer/occlusion.js";
import { GRID } from "../../../web/js/base/pixels.js";

const { WINDOW } = occlusion;

/** GRID x GRID levels with ink in the given columns and rows, ends included. */
function inkIn(left, top, right, bottom) {
  return Uint8Array.from({ length: GRID * GRID }, (_, pixel) => {
    const [x, y] = [pixel % GRID, Math.floor(pixel / GRID)];
    return x >= left && x <= right && y >= top && y <= bottom ? 255 : 0;
  });
}

test("windows with ink in them cover all of it, and fit into one request", () => {
  const full = inkIn(0, 0, GRID - 1, GRID - 1);
  const places = occlusion.windowsOf(full);
  assert.ok(places.length < 256);
  const covered = occlusion.heatOf(places, places.map(() => 1));
  assert.ok(covered.every((heat) => heat === 1));
});

test("a window without ink is not asked about", () => {
  const places = occlusion.windowsOf(inkIn(10, 10, 10, 10));
  assert.equal(places.length, 9);
  assert.ok(places.every(({ left, top }) => left <= 10 && left + WINDOW > 10 && top <= 10 && top + WINDOW > 10));
  assert.deepEqual(occlusion.windowsOf(new Uint8Array(GRID * GRID)), []);
});

test("each copy is blank in its own window alone", () => {
  const ink = inkIn(0, 0, GRID - 1, GRID - 1);
  const copies = occlusion.blank(ink, [{ left: 0, top: 0 }, { left: 23, top: 23 }]);
  assert.equal(copies.length, 2 * GRID * GRID);
  const [first, second] = [copies.subarray(0, GRID * GRID), copies.subarray(GRID * GRID)];
  assert.equal(first.filter((level) => level === 0).length, WINDOW ** 2);
  assert.deepEqual([first[0], first[4 * GRID + 4], first[5], first.at(-1)], [0, 0, 255, 255]);
  assert.deepEqual([second[0], second.at(-1)], [255, 0]);
  assert.ok(ink.every((level) => level === 255), "the original stays");
});

test("heat is the mean of the windows over a pixel", () => {
  const heat = occlusion.heatOf([{ left: 0, top: 0 }, { left: 2, top: 0 }], [0.2, 0.6]);
  assert.deepEqual([heat[0], heat[2], heat[6], heat[7]], [0.2, 0.4, 0.6, 0]);
});

test("a chance is that of being a digit times that of being this one", () => {
  assert.equal(occlusion.chanceOf({ probabilities: [0.25, 0.75], digit_score: 0.5 }, 1), 0.375);
});

test("the nearest window is the one whose middle is nearest", () => {
  const places = [{ left: 0, top: 0 }, { left: 2, top: 0 }, { left: 20, top: 20 }];
  assert.equal(occlusion.nearest(places, 2, 2), 0);
  assert.equal(occlusion.nearest(places, 4, 2), 1);
  assert.equal(occlusion.nearest(places, 27, 27), 2);
});

for (const [place, part] of [
  [{ left: 4, top: 4 }, "upper left"],
  [{ left: 12, top: 4 }, "upper"],
  [{ left: 19, top: 12 }, "right"],
  [{ left: 12, top: 12 }, "middle"],
  [{ left: 18, top: 23 }, "lower right"],
]) {
  test(`the window at ${place.left}, ${place.top} is over the ${part} part`, () => {
    assert.equal(occlusion.partOf(inkIn(4, 4, 23, 23), place), part);
  });
}

test("a thin stroke has no left and no right", () => {
  assert.equal(occlusion.partOf(inkIn(13, 4, 15, 23), { left: 15, top: 22 }), "lower");
});
