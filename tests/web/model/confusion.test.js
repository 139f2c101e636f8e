import assert from "node:assert/strict";
import { test } from "node:test";

import { heat, nextCell } from "../../../web/js/model/confusion.js";

const CELLS = [{ actual: 0, predicted: 7 }, { actual: 2, predicted: 0 }, { actual: 2, predicted: 6 }, { actual: 9, predicted: 4 }];

test("the colour of a single mistake is visible beside a frequent one", () => {
  assert.deepEqual([heat(0, 88), heat(88, 88), heat(0, 0)], [0, 1, 0]);
  assert.ok(heat(1, 88) > 0.1);
  assert.ok(heat(1, 88) < heat(2, 88));
});

for (const [key, from, to] of [
  ["ArrowRight", 0, 1], ["ArrowRight", 3, null], ["ArrowLeft", 3, 2], ["ArrowLeft", 0, null],
  ["ArrowDown", 0, 2], ["ArrowDown", 1, 3], ["ArrowDown", 3, null], ["ArrowUp", 3, 2],
  ["Home", 2, 0], ["End", 2, 3], ["Tab", 2, null],
]) {
  test(`${key} moves from ${from} to ${to}`, () => assert.deepEqual(nextCell(CELLS, CELLS[from], key), to === null ? null : CELLS[to]));
}
