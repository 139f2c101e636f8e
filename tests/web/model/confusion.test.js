import assert from "node:assert/strict";
import { test } from "node:test";

import { heat, nextCell } from "../../../web/js/model/confusion.js";

const CELLS = [
  { actual: 0, predicted: 7 },
  { actual: 2, predicted: 0 },
  { actual: 2, predicted: 6 },
  { actual: 9, predicted: 4 },
];

test("a single mistake is coloured visibly beside a frequent one", () => {
  assert.equal(heat(0, 88), 0);
  assert.equal(heat(88, 88), 1);
  assert.ok(heat(1, 88) > 0.1);
  assert.ok(heat(1, 88) < heat(2, 88));
  assert.equal(heat(0, 0), 0);
});

test("left and right go through all mistakes in the order of reading", () => {
  assert.deepEqual(nextCell(CELLS, CELLS[0], "ArrowRight"), CELLS[1]);
  assert.deepEqual(nextCell(CELLS, CELLS[3], "ArrowLeft"), CELLS[2]);
  assert.equal(nextCell(CELLS, CELLS[0], "ArrowLeft"), null);
  assert.equal(nextCell(CELLS, CELLS[3], "ArrowRight"), null);
});

test("up and down go to the nearest mistake of the next row that has one", () => {
  assert.deepEqual(nextCell(CELLS, CELLS[0], "ArrowDown"), CELLS[2]);
  assert.deepEqual(nextCell(CELLS, CELLS[1], "ArrowDown"), CELLS[3]);
  assert.deepEqual(nextCell(CELLS, CELLS[3], "ArrowUp"), CELLS[2]);
  assert.equal(nextCell(CELLS, CELLS[3], "ArrowDown"), null);
});

test("home and end go to the first and the last mistake, other keys nowhere", () => {
  assert.deepEqual(nextCell(CELLS, CELLS[2], "Home"), CELLS[0]);
  assert.deepEqual(nextCell(CELLS, CELLS[2], "End"), CELLS[3]);
  assert.equal(nextCell(CELLS, CELLS[2], "Tab"), null);
});
