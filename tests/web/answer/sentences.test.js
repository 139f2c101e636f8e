import assert from "node:assert/strict";
import { test } from "node:test";

import { chance } from "../../../web/js/base/figures.js";
import { modelText, mostDecisive, occlusionText, readingText, shiftText, verdictOf } from "../../../web/js/answer/sentences.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

/** A reading of `digit` with the given confidence; the digit after it gets the rest. */
function reading(state, digit, confidence, digit_score = 1) {
  const probabilities = Array(10).fill(0);
  probabilities[digit] = confidence;
  probabilities[(digit + 1) % 10] = 1 - confidence;
  return { state, digit: state === "not_a_digit" ? null : digit, confidence, probabilities, digit_score };
}

test("only certainty is 100 %", () => {
  assert.deepEqual([0, 0.5, 0.99996, 1].map(chance).map(plain), ["0.0 %", "50.0 %", "99.9 %", "100.0 %"]);
});

test("the model's text has the figures of its card, as far as it has them", () => {
  const data = { title: "a few sheets" };
  const text = (card) => plain(modelText(card));
  assert.equal(
    text({ data, metrics: { test_accuracy: 0.5, strokes_accuracy: 0.25 } }),
    "It learned from a few sheets. Of MNIST’s test digits it reads 50.0 % right and 25.0 % of other writers’ pen strokes.",
  );
  assert.equal(text({ data, metrics: { test_accuracy: 0.5 } }), "It learned from a few sheets. Of MNIST’s test digits it reads 50.0 % right.");
  assert.equal(text({ data: null, metrics: null }), "");
});

test("each state has its verdict", () => {
  const probabilities = [0, 0, 0.02, 0, 0.55, 0, 0, 0, 0, 0.43];
  const verdict = (state, nParts = 1) => Object.values(verdictOf({ state, digit: 4, confidence: 0.55, probabilities }, nParts)).map(plain);
  assert.deepEqual(verdict("digit"), ["4", "Four", "55.0 % confident"]);
  assert.deepEqual(verdict("unsure"), ["4?", "4 or 9?", "55.0 % for 4, 43.0 % for 9"]);
  assert.deepEqual(verdict("not_a_digit"), ["×", "Not a digit", "It reads the digits 0 to 9."]);
  assert.deepEqual(verdict("not_a_digit", 2), ["×", "Several things", "It reads the digits 0 to 9."]);
  assert.deepEqual(verdict("blank"), ["", "No ink found", "The image is empty."]);
});

test("a verdict names the visitor's drawings that changed it", () => {
  const detail = (state) => plain(verdictOf({ ...reading(state, 4, 0.6), isByMemory: true }, 1).detail);
  assert.equal(detail("digit"), "60.0 % because of your drawings");
  assert.equal(detail("unsure"), "You showed it one like this.");
});

for (const [state, expected] of [["digit", "4 (60.0 %)"], ["unsure", "4 or 5, unsure"], ["not_a_digit", "not a digit"], ["blank", "nothing at all"]]) {
  test(`the text for the state ${state}`, () => assert.equal(plain(readingText(reading(state, 4, 0.6))), expected));
}

for (const [whole, without, expected] of [
  [reading("digit", 9, 0.99), reading("digit", 4, 0.73), "Without its left part it would be read as 4 (73.0 %)."],
  [reading("digit", 1, 0.99), reading("not_a_digit", 1, 0.9, 0.1), "Without its left part it would not be read as a digit."],
  [reading("digit", 9, 0.99), reading("digit", 9, 0.9, 0.5), "It stays 9 without any one part. The left part matters most: without it the chance goes from 99.0 % to 45.0 %."],
  [reading("digit", 0, 0.99), reading("digit", 0, 0.99), "No single part decides: it stays 0 without any of them."],
  [reading("not_a_digit", 9, 0.99, 0.1), reading("not_a_digit", 3, 0.99, 0.2), "It is not read as a digit, whichever part is left out."],
]) {
  test(expected, () => assert.equal(plain(occlusionText(whole, without, "left")), expected));
}

test("a window that changes the reading is more decisive than a larger change of the probability", () => {
  const whole = reading("digit", 9, 0.99);
  const without = [reading("digit", 9, 0.99, 0.4), reading("unsure", 9, 0.6), reading("digit", 4, 0.9)];
  assert.equal(mostDecisive(whole, without, [0.6, 0.4, 0.9]), 2);
  assert.equal(mostDecisive(whole, without.slice(0, 2), [0.6, 0.4]), 1);
  assert.equal(mostDecisive(whole, [without[0], reading("digit", 9, 0.99)], [0.6, 0]), 0);
});

test("shifts are in pixels", () => {
  assert.equal(shiftText({ right: -1.5, down: 2 }), "1.5 px left, 2 down");
  assert.equal(shiftText({ right: 0, down: -1 }), "1 px up");
  assert.equal(shiftText({ right: 0, down: 0 }), "Already there");
});
