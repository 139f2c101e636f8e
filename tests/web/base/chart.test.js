import assert from "node:assert/strict";
import { test } from "node:test";

import { blockSize, summarise, summariseTraining } from "../../../web/js/model/architecture.js";
import { decades, wholeTicks } from "../../../web/js/base/chart.js";
import { listFigures } from "../../../web/js/model/evaluation.js";

test("a logarithmic axis spans whole powers of ten around the values, and at least one", () => {
  assert.deepEqual(decades([1.3, 0.04]), { low: -2, high: 1, powers: [-2, -1, 0, 1] });
  assert.deepEqual(decades([0.1]), { low: -1, high: 0, powers: [-1, 0] });
  assert.deepEqual(decades([0, 0.05]), { low: -2, high: -1, powers: [-2, -1] });
  assert.deepEqual(decades([0]), { low: -1, high: 0, powers: [-1, 0] });
});

test("ticks are whole, round and not too many", () => {
  assert.deepEqual(wholeTicks(1, 4, 8), [1, 2, 3, 4]);
  assert.deepEqual(wholeTicks(1, 16, 8), [5, 10, 15]);
  assert.deepEqual(wholeTicks(1, 1, 8), [1]);
  assert.ok(wholeTicks(1, 5000, 8).length <= 8);
});

test("a layer's block is as wide as its map and deeper with its channels", () => {
  const [wide, narrow] = [blockSize([26, 26, 16], 26), blockSize([13, 13, 64], 26)];
  assert.equal(wide.side, 2 * narrow.side);
  assert.equal(narrow.depth, 2 * wide.depth);
  assert.equal(blockSize([512], 26).depth, 0);
});

test("the network and its training are told as far as the card goes", () => {
  const layers = [{ name: "a", kind: "Conv2D", shape: [26, 26, 16], n_parameters: 160, activation: "relu", detail: "3×3" }];
  assert.match(summarise({ name: "inkling", n_parameters: 195051, layers }), /^inkling has 195,051 parameters in 1 layer, 1 convolution among/);
  assert.equal(summarise({ name: "inkling", n_parameters: 195051 }), "inkling has 195,051 parameters.");
  assert.match(summarise(undefined), /does not tell/);
  assert.match(summariseTraining(undefined), /does not tell/);
});

test("a figure that the card has not is said to be missing, not shown as 0", () => {
  const tiles = listFigures({ data: { train: 5 }, metrics: {} });
  assert.equal(tiles.find(({ term }) => term === "Training images").figure, "5");
  const accuracy = tiles.find(({ term }) => term === "Accuracy on MNIST test");
  assert.equal(accuracy.figure, "–");
  assert.match(accuracy.note, /does not tell/);
});
