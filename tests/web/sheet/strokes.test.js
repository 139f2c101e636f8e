import assert from "node:assert/strict";
import { test } from "node:test";

import { SAMPLES } from "../../../web/js/sheet/samples.js";
import { History, decodeStrokes, encodeStrokes } from "../../../web/js/sheet/strokes.js";

const HALF_STEP = 0.0005 + 1e-9;
/** @type {Stroke[]} */
const STROKES = [
  [[0.1, 0.2], [0.11, 0.25], [0.9, 0.95], [-0.05, 1.2]],
  [[0.5, 0.5]],
];

test("strokes survive their code, to half a step of its grid", () => {
  const decoded = decodeStrokes(encodeStrokes(STROKES));
  assert.ok(decoded);
  assert.deepEqual(decoded.map((stroke) => stroke.length), [4, 1]);
  decoded.flat().forEach(([x, y], i) => {
    const [expectedX, expectedY] = STROKES.flat()[i];
    assert.ok(Math.abs(x - expectedX) <= HALF_STEP && Math.abs(y - expectedY) <= HALF_STEP);
  });
});

test("a code that is decoded and encoded again is the same", () => {
  const code = encodeStrokes(STROKES);
  assert.equal(encodeStrokes(decodeStrokes(code) ?? []), code);
});

test("a code has only characters that stand in an address as they are", () => {
  const spiral = Array.from({ length: 500 }, (_, i) => /** @type {Point} */ ([0.5 + 0.001 * i * Math.cos(i / 9), 0.5 + 0.001 * i * Math.sin(i / 9)]));
  assert.match(encodeStrokes([spiral]), /^1[\w-]+$/);
});

test("of points that stand closely the line keeps its ends and its length of code", () => {
  const dense = Array.from({ length: 10_001 }, (_, i) => /** @type {Point} */ ([0.1 + 0.00008 * i, 0.5]));
  const code = encodeStrokes([dense]);
  assert.ok(code.length < 400);
  const [stroke] = decodeStrokes(code) ?? [];
  assert.deepEqual([stroke[0], stroke.at(-1)], [[0.1, 0.5], [0.9, 0.5]]);
});

for (const [what, code] of Object.entries({
  "nothing": "",
  "no strokes": "1",
  "another format": `2${encodeStrokes(STROKES).slice(1)}`,
  "what is not base64": "1!!!",
  "a code cut short": encodeStrokes(STROKES).slice(0, -3),
  "a stroke without points": "1AA",
  "points far from the sheet": encodeStrokes([[[0, 0], [50, 0]]]),
  "an integer that does not end": "1______8",
})) {
  test(`${what} is no drawing`, () => assert.equal(decodeStrokes(code), null));
}

test("each sample is a drawing on the sheet", () => {
  assert.equal(SAMPLES.length, 10);
  for (const code of SAMPLES) {
    const points = decodeStrokes(code)?.flat() ?? [];
    assert.ok(points.length > 10);
    assert.ok(points.flat().every((value) => value > 0.1 && value < 0.9));
  }
});

test("undo and redo go back and forth among the steps", () => {
  const history = new History();
  const [first, second] = STROKES;
  history.change([first]);
  history.change([first, second]);
  history.undo();
  assert.deepEqual([history.strokes, history.canUndo, history.canRedo], [[first], true, true]);
  history.redo();
  assert.deepEqual([history.strokes, history.canUndo, history.canRedo], [[first, second], true, false]);
  history.undo();
  history.undo();
  history.undo();
  assert.deepEqual([history.strokes, history.canUndo, history.canRedo], [[], false, true]);
});

test("after a new step there is nothing to redo", () => {
  const history = new History();
  const [first, second] = STROKES;
  history.change([first]);
  history.undo();
  history.change([second]);
  history.redo();
  assert.deepEqual([history.strokes, history.canRedo], [[second], false]);
});

test("clearing is a step that undo takes back", () => {
  const history = new History();
  history.change(STROKES);
  history.change([]);
  history.undo();
  assert.deepEqual(history.strokes, STROKES);
});

test("a step that is dropped cannot be done again", () => {
  const history = new History();
  history.change([STROKES[0]]);
  history.change(STROKES);
  history.drop();
  assert.deepEqual([history.strokes, history.canUndo, history.canRedo], [[STROKES[0]], true, false]);
});
