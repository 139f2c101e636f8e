import assert from "node:assert/strict";
import { test } from "node:test";

import { chance } from "../../../web/js/base/figures.js";
import { mostTelling, tellHold, tellReading, tellShift } from "../../../web/js/answer/sentences.js";

/** A reading of `digit` with the given confidence; the rest goes to the digit after it. */
function reading(state, digit, confidence, digit_score = 1) {
  const probabilities = Array(10).fill(0);
  probabilities[digit] = confidence;
  probabilities[(digit + 1) % 10] = 1 - confidence;
  return { state, digit: state === "not_a_digit" ? null : digit, confidence, probabilities, digit_score };
}

test("what is not certain is never 100 %", () => {
  assert.deepEqual([0, 0.5, 0.99996, 1].map(chance), ["0.0\u00a0%", "50.0\u00a0%", "99.9\u00a0%", "100.0\u00a0%"]);
});

test("each state is told", () => {
  assert.equal(tellReading(reading("digit", 4, 0.9)), "4 (90.0\u00a0%)");
  assert.equal(tellReading(reading("unsure", 4, 0.6)), "4 or 5, unsure");
  assert.equal(tellReading(reading("not_a_digit", 4, 0.6)), "not a digit");
  assert.equal(tellReading(reading("blank", 4, 0.6)), "nothing at all");
});

test("a part without which it is another digit is told", () => {
  const story = tellHold(reading("digit", 9, 0.99), reading("digit", 4, 0.73), "upper");
  assert.equal(story, "Without its upper part it would be read as 4 (73.0\u00a0%).");
});

test("a part without which it is no digit any more is told", () => {
  const story = tellHold(reading("digit", 1, 0.99), reading("not_a_digit", 1, 0.9, 0.1), "lower");
  assert.equal(story, "Without its lower part it would be read as not a digit.");
});

test("where the digit stays, the chances are told", () => {
  const story = tellHold(reading("digit", 9, 0.99), reading("digit", 9, 0.9, 0.5), "left");
  assert.match(story, /^It stays 9 without any one part\. The left part matters most: .* from 99\.0\s% to 45\.0\s%\.$/);
});

test("where nothing changes, no part is named", () => {
  const story = tellHold(reading("digit", 0, 0.99), reading("digit", 0, 0.99), "left");
  assert.equal(story, "No single part decides: it stays 0 without any of them.");
});

test("what is no digit whichever part is left out is told as that", () => {
  const story = tellHold(reading("not_a_digit", 9, 0.99, 0.1), reading("not_a_digit", 3, 0.99, 0.2), "left");
  assert.equal(story, "It is not read as a digit, whichever part is left out.");
});

test("a window that changes the reading goes before one that only changes the chance more", () => {
  const whole = reading("digit", 9, 0.99);
  const without = [reading("digit", 9, 0.99, 0.4), reading("unsure", 9, 0.6), reading("digit", 4, 0.9)];
  assert.equal(mostTelling(whole, without, [0.6, 0.4, 0.9]), 2);
  assert.equal(mostTelling(whole, without.slice(0, 2), [0.6, 0.4]), 1);
  assert.equal(mostTelling(whole, [without[0], reading("digit", 9, 0.99)], [0.6, 0]), 0);
});

test("shifts are told in pixels, and none as none", () => {
  assert.equal(tellShift({ right: -1.5, down: 2 }), "1.5 px left, 2 down");
  assert.equal(tellShift({ right: 0, down: -1 }), "1 px up");
  assert.equal(tellShift({ right: 0, down: 0 }), "Already there");
});
