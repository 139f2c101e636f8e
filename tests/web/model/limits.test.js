import assert from "node:assert/strict";
import { test } from "node:test";

import { limitPoints, rankConfusions } from "../../../web/js/model/limits.js";

/** 100 of each digit, all correct except for the given `[actual, predicted, n]`. */
function confusion(...mistakes) {
  const counts = Array.from({ length: 10 }, (_, actual) => Array.from({ length: 10 }, (_, predicted) => (actual === predicted ? 100 : 0)));
  for (const [actual, predicted, n] of mistakes) {
    counts[actual][predicted] += n;
    counts[actual][actual] -= n;
  }
  return counts;
}

const family = (refused, digit, is_held_out) => ({ kind: "letters", is_held_out, digit, unsure: 0, refused, refused_low: refused - 0.02, refused_high: refused + 0.02 });

test("confusions are ranked by their share, without the diagonal", () => {
  assert.deepEqual(rankConfusions(confusion([4, 5, 11], [7, 2, 3])), [
    { actual: 4, predicted: 5, n: 11, total: 100 },
    { actual: 7, predicted: 2, n: 3, total: 100 },
  ]);
});

test("the sentences name the worst confusions, the confident mistakes, the worst unseen family and the refused digits", () => {
  const evaluation = {
    confusion: { mnist: confusion([9, 4, 4]), strokes: confusion([4, 5, 11], [7, 2, 3]) },
    mistakes: [{ state: "digit", confidence: 0.95 }, { state: "unsure", confidence: 0.6 }, { state: "digit", confidence: 0.9995 }],
    refusal: { families: { greek_letters: family(0.778, 0.11, true), dice: family(0.98, 0, true), seen_letters: family(0.5, 0.4, false) } },
  };
  const points = limitPoints(evaluation, { test_refused: 0.0052, strokes_refused: 0.001322 });
  assert.deepEqual(points.slice(0, 3).map((point) => point.replaceAll("\u00a0", " ")), [
    "On MNIST’s test images, 9 is most often taken for 4 (4 of 100). On pen strokes, 4 is most often taken for 5 (11 of 100), and 7 for 2 (3 of 100).",
    "Of 3 misread digits, 2 are told as certain, with up to 99.95 % confidence.",
    "Of what is no digit and was kept from training, greek letters get past most often: 77.8 % (75.8 to 79.8 %) are refused, and 11.0 % are taken for a digit. In turn it refuses 0.52 % of MNIST’s test digits and 0.13 % of the pen strokes, which are digits.",
  ]);
});

test("without mistakes and held-out families there are no sentences about them", () => {
  const evaluation = { confusion: { mnist: confusion(), strokes: confusion() }, mistakes: [], refusal: { families: { dice: family(0.98, 0, false) } } };
  const points = limitPoints(evaluation, { test_refused: 0, strokes_refused: 0 });
  assert.equal(points[0], "On MNIST’s test images, no digit is taken for another. On pen strokes, no digit is taken for another.");
  assert.equal(points.length, 3);
});

test("without a test on pen strokes there is no sentence about them", () => {
  const evaluation = { confusion: { mnist: confusion() }, mistakes: [], refusal: { families: {} } };
  assert.deepEqual(limitPoints(evaluation, { test_refused: 0 }).slice(0, 2).map((point) => point.replaceAll("\u00a0", " ")), [
    "On MNIST’s test images, no digit is taken for another.",
    "In turn it refuses 0.00 % of MNIST’s test digits, which are digits.",
  ]);
});
