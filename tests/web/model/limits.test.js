import assert from "node:assert/strict";
import { test } from "node:test";

import { rankConfusions, tellLimits } from "../../../web/js/model/limits.js";

/** 100 of each digit, all read right but for the given `[actual, predicted, n]`. */
function confusion(...mistakes) {
  const counts = Array.from({ length: 10 }, (_, actual) => Array.from({ length: 10 }, (_, predicted) => (actual === predicted ? 100 : 0)));
  for (const [actual, predicted, n] of mistakes) {
    counts[actual][predicted] += n;
    counts[actual][actual] -= n;
  }
  return counts;
}

const family = (refused, digit, is_held_out) => ({ kind: "letters", is_held_out, digit, unsure: 0, refused, refused_low: refused - 0.02, refused_high: refused + 0.02 });
const plain = (sentences) => sentences.map((sentence) => sentence.replaceAll("\u00a0", " "));

test("confusions are ranked by how often they happen, the diagonal apart", () => {
  const ranked = rankConfusions(confusion([4, 5, 11], [7, 2, 3]));
  assert.deepEqual(ranked, [
    { actual: 4, predicted: 5, n: 11, total: 100 },
    { actual: 7, predicted: 2, n: 3, total: 100 },
  ]);
});

test("each test's worst confusions are told with their counts, under the test's own name", () => {
  const limits = tellLimits({ confusion: { mnist: confusion([9, 4, 4]), strokes: confusion([4, 5, 11], [7, 2, 3]) } });
  assert.deepEqual(plain(limits), [
    "On MNIST’s test images, 9 is most often taken for 4 (4 of 100).",
    "On pen strokes, 4 is most often taken for 5 (11 of 100), and 7 for 2 (3 of 100).",
  ]);
});

test("a model that confuses nothing is not said to", () => {
  assert.deepEqual(plain(tellLimits({ confusion: { mnist: confusion() } })), ["On MNIST’s test images, no digit is taken for another."]);
});

test("of what is refused, the worst that training never saw is told, not what it did see", () => {
  const families = { greek_letters: family(0.778, 0.11, true), dice: family(0.98, 0, true), seen_letters: family(0.5, 0.4, false) };
  assert.deepEqual(plain(tellLimits({ refusal: { families } })), [
    "Of what is no digit and was kept from training, greek letters get past most often: 77.8 % (75.8 to 79.8 %) are refused, and 11.0 % are taken for a digit.",
  ]);
});

test("misread digits count as certain only in the state of a digit", () => {
  const mistakes = [
    { state: "digit", confidence: 0.95 },
    { state: "unsure", confidence: 0.6 },
    { state: "digit", confidence: 0.9995 },
  ];
  assert.deepEqual(plain(tellLimits({ mistakes })), ["Of 3 misread digits, 2 are told as certain, with up to 99.95 % confidence."]);
});

test("what refusing costs is told of the digits that are measured", () => {
  const both = tellLimits(undefined, { test_refused: 0.0052, strokes_refused: 0.001322 });
  assert.deepEqual(plain(both), ["In turn it refuses 0.52 % of MNIST’s test digits and 0.13 % of the pen strokes, which are digits."]);
  assert.deepEqual(tellLimits(undefined), []);
});
