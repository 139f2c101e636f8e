import assert from "node:assert/strict";
import { test } from "node:test";

import { decades, wholeTicks } from "../../../web/js/base/chart.js";

test("a logarithmic axis spans whole powers of ten, and at least one", () => {
  assert.deepEqual(decades([1.3, 0.04]), { low: -2, high: 1, powers: [-2, -1, 0, 1] });
  assert.deepEqual(decades([0.1]), { low: -1, high: 0, powers: [-1, 0] });
  assert.deepEqual(decades([0, 0.05]), { low: -2, high: -1, powers: [-2, -1] });
  assert.deepEqual(decades([0]), { low: -1, high: 0, powers: [-1, 0] });
});

test("ticks are round integers, and limited in number", () => {
  assert.deepEqual(wholeTicks(1, 4, 8), [1, 2, 3, 4]);
  assert.deepEqual(wholeTicks(1, 16, 8), [5, 10, 15]);
  assert.deepEqual(wholeTicks(1, 1, 8), [1]);
  assert.ok(wholeTicks(1, 5000, 8).length <= 8);
});
