import assert from "node:assert/strict";
import { test } from "node:test";

import { blockSize, summarise } from "../../../web/js/model/architecture.js";
import { listFigures } from "../../../web/js/model/evaluation.js";

test("a block is as wide as its feature map, and deeper with more channels", () => {
  const [wide, narrow] = [blockSize([26, 26, 16], 26), blockSize([13, 13, 64], 26)];
  assert.equal(wide.side, 2 * narrow.side);
  assert.equal(narrow.depth, 2 * wide.depth);
  assert.equal(blockSize([512], 26).depth, 0);
});

test("the summary counts parameters, layers and convolutions", () => {
  const layers = [{ name: "a", kind: "Conv2D", shape: [26, 26, 16], n_parameters: 160, activation: "relu", detail: "3x3" }];
  const summary = summarise({ n_parameters: 195051, layers, definition: "" }, "inkling");
  assert.match(summary, /^inkling has 195,051 parameters in 1 layer, 1 convolution among them\./);
});

test("the headline figures are those of the card", () => {
  const parts = { train: { mnist: 4000, nondigits: 321 }, validation: { pendigits: 765 } };
  const data = { title: "", train: 4321, validation: 765, test: 987, test_drawings: 654, parts };
  const metrics = {
    test_accuracy: 0.9123, test_accuracy_low: 0.8931, test_accuracy_high: 0.9288, test_errors: 87, test_loss: 0.3217, test_ece: 0.0456, test_refused: 0.0321,
    strokes_accuracy: 0.8765, strokes_worst_accuracy: 0.8543, strokes_ece: 0.0789, refused_letters: 0.6543,
  };
  const lines = listFigures({ data, metrics }).map(({ figure, note }) => `${figure} ${note}`.replaceAll("\u00a0", " "));
  assert.deepEqual(lines, [
    "91.23 % 95 % interval 89.31 to 92.88 % · 87 errors",
    "87.65 % of writers who appear nowhere else · 85.43 % in the worst of eight ways to draw them",
    "65.43 % of scripts that training never showed · in turn, 3.21 % of MNIST’s digits",
    "4,321 4,000 MNIST · 321 that are no digit",
    "765 765 pen strokes",
    "987 654 pen strokes beside them",
    "0.3217 cross-entropy, nats a digit",
    "4.56 % expected, on MNIST test · 7.89 % on pen strokes",
  ]);
});

test("a model that was not tested on pen strokes has no figures of them", () => {
  const data = { title: "", train: 4000, validation: 400, test: 1000, test_drawings: 0, parts: { train: { mnist: 4000 }, validation: { mnist: 400 } } };
  const metrics = { test_accuracy: 0.9, test_accuracy_low: 0.8, test_accuracy_high: 0.95, test_errors: 100, test_loss: 0.3, test_ece: 0.04, test_refused: 0.03, refused_letters: 0.6 };
  const lines = listFigures({ data, metrics }).map(({ term, note }) => `${term} ${note}`);
  assert.deepEqual(lines.filter((line) => /strokes|NaN|undefined/.test(line)), []);
  assert.equal(lines.length, 7);
});
