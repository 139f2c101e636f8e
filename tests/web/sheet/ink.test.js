import assert from "node:assert/strict";
import { test } from "node:test";

import { penWidthFor } from "../../../web/js/sheet/ink.js";

const upright = (size, left = 0.3) => [[[left, 0.1], [left, 0.1 + size / 2]], [[left + size / 3, 0.1 + size]]];

test("large ink keeps the pen of the screen", () => {
  assert.deepEqual([0.5, 0.7, 1.2].map((size) => penWidthFor(upright(size))), [0.06, 0.06, 0.06]);
});

test("small ink has a finer pen, down to a limit", () => {
  for (const size of [0.4, 0.25, 0.17]) assert.ok(Math.abs(penWidthFor(upright(size)) - 0.12 * size) < 1e-9);
  assert.equal(penWidthFor(upright(0.05)), 0.02);
  assert.equal(penWidthFor([[[0.5, 0.5]]]), 0.02);
});

test("ink beyond the sheet does not count", () => {
  assert.equal(penWidthFor([[[-3, 0.2], [0.1, 0.2]]]), 0.02);
});
