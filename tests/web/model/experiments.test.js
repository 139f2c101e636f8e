import assert from "node:assert/strict";
import { test } from "node:test";

import { sortRuns } from "../../../web/js/model/experiments.js";

const RUNS = [
  { experiment: "baseline", published: 0.9927, augmentation: false },
  { experiment: "tiny_batch", published: null, augmentation: false },
  { experiment: "augmentation", published: 0.9897, augmentation: true },
];

const names = (key, order) => sortRuns(RUNS, key, order).map(({ experiment }) => experiment);

test("text, numbers and booleans are sorted in both orders", () => {
  assert.deepEqual(names("experiment", "ascending"), ["augmentation", "baseline", "tiny_batch"]);
  assert.deepEqual(names("experiment", "descending"), ["tiny_batch", "baseline", "augmentation"]);
  assert.deepEqual(names("augmentation", "descending"), ["augmentation", "baseline", "tiny_batch"]);
});

test("rows without a value come last in both orders", () => {
  assert.deepEqual(names("published", "ascending"), ["augmentation", "baseline", "tiny_batch"]);
  assert.deepEqual(names("published", "descending"), ["baseline", "augmentation", "tiny_batch"]);
});

test("sorting does not change the given rows", () => {
  sortRuns(RUNS, "experiment", "descending");
  assert.equal(RUNS[0].experiment, "baseline");
});
