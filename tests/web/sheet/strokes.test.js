import assert from "node:assert/strict";
import { test } from "node:test";

import { SAMPLES } from "../../../web/js/sheet/samples.js";
import { History, decodeStrokes, encodeStrokes } from "../../../web/js/sheet/strokes.js";

const HALF_STEP = 0.0005 + 1e-9;
const STROKES = [[[0.1, 0.2], [0.11, 0.25], [0.9, 0.95], [-0.05, 1.2]], [[0.5, 0.5]]];

test("decoded strokes are exact to half a step of the grid, and have the same code", () => {
  const code = encodeStrokes(STROKES);
  const decoded = decodeStrokes(code);
  assert.deepEqual(decoded.map((stroke) => stroke.length), [4, 1]);
  decoded.flat(2).forEach((value, i) => assert.ok(Math.abs(value - STROKES.flat(2)[i]) <= HALF_STEP));
  assert.equal(encodeStrokes(decoded), code);
});

test("a code needs no escaping in an address", () => {
  const spiral = Array.from({ length: 500 }, (_, i) => [0.5 + 0.001 * i * Math.cos(i / 9), 0.5 + 0.001 * i * Math.sin(i / 9)]);
  assert.match(encodeStrokes([spiral]), /^1[\w-]+$/);
});

test("dense points are dropped, except the ends", () => {
  const code = encodeStrokes([Array.from({ length: 10_001 }, (_, i) => [0.1 + 0.00008 * i, 0.5])]);
  assert.ok(code.length < 400);
  const [stroke] = decodeStrokes(code);
  assert.deepEqual([stroke[0], stroke.at(-1)], [[0.1, 0.5], [0.9, 0.5]]);
});

for (const [what, code] of Object.entries({
  "an empty code": "",
  "no strokes": "1",
  "another format": `2${encodeStrokes(STROKES).slice(1)}`,
  "invalid base64": "1!!!",
  "a truncated code": encodeStrokes(STROKES).slice(0, -3),
  "a stroke without points": "1AA",
  "points far from the sheet": encodeStrokes([[[0, 0], [50, 0]]]),
  "an unfinished integer": "1______8",
})) {
  test(`${what} is invalid`, () => assert.equal(decodeStrokes(code), null));
}

test("each sample is a drawing on the sheet", () => {
  assert.equal(SAMPLES.length, 10);
  for (const code of SAMPLES) {
    const values = decodeStrokes(code).flat(2);
    assert.ok(values.length > 20);
    assert.ok(values.every((value) => value > 0.1 && value < 0.9));
  }
});

test("undo, redo and drop move through the steps", () => {
  const history = new History();
  const state = () => [history.strokes.length, history.canUndo, history.canRedo];
  history.change([STROKES[0]]);
  history.change(STROKES);
  history.undo();
  assert.deepEqual(state(), [1, true, true]);
  history.redo();
  assert.deepEqual(state(), [2, true, false]);
  for (let n = 0; n < 3; n += 1) history.undo();
  assert.deepEqual(state(), [0, false, true]);
  history.redo();
  history.change([]);
  history.redo();
  assert.deepEqual(state(), [0, true, false], "a new step has no redo");
  history.drop();
  assert.deepEqual(state(), [1, true, false], "a dropped step has no redo");
});
