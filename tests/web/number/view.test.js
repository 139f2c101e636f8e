import assert from "node:assert/strict";
import { test } from "node:test";

// The module finds its elements when it is loaded.
class Element {}
Object.assign(globalThis, { HTMLElement: Element, HTMLOListElement: Element, document: { getElementById: () => new Element() } });
const { detailOf, isNumber } = await import("../../../web/js/number/view.js");

const digit = (digit, confidence) => ({ digit, confidence, digit_score: 1, strokes: [digit], box: { left: 0, top: 0, right: 1, bottom: 1 } });
const number = (state, ...digits) => ({ state, number: "", confidence: 0.9, digits, alternatives: [{ number: "17", confidence: 0.05 }] });

test("only several digits are a number", () => {
  assert.equal(isNumber(number("number", digit(4, 1), digit(2, 1)), { state: "not_a_digit" }), true);
  assert.equal(isNumber(number("number", digit(4, 1)), { state: "not_a_digit" }), false);
  assert.equal(isNumber(number("not_a_number"), { state: "not_a_digit" }), false);
  assert.equal(isNumber(null, { state: "not_a_digit" }), false);
});

test("a sure digit wins against an unsure number", () => {
  assert.equal(isNumber(number("unsure", digit(1, 1), digit(1, 1)), { state: "digit" }), false);
  assert.equal(isNumber(number("unsure", digit(1, 1), digit(1, 1)), { state: "not_a_digit" }), true);
});

test("the words name the least sure digit, or the alternative", () => {
  assert.equal(detailOf(number("number", digit(4, 0.999), digit(2, 0.995))), "90.0\u00a0% confident");
  assert.equal(detailOf(number("number", digit(4, 0.999), digit(2, 0.8))), "90.0\u00a0% confident, least of the 2: 80.0\u00a0%");
  assert.equal(detailOf(number("unsure", digit(1, 1), digit(1, 1))), "Not sure, or is it 17? 90.0\u00a0% confident");
});
