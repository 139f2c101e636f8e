import assert from "node:assert/strict";
import { test } from "node:test";

import { count, counted, interval, percent, words } from "../../../web/js/base/figures.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

for (const [share, digits, expected] of [[0.996, 2, "99.60 %"], [0.99999, 2, "99.99 %"], [0.99999, 1, "99.9 %"], [1, 2, "100.00 %"], [0.000001, 2, "0.01 %"], [0, 2, "0.00 %"]]) {
  test(`${share} is ${expected}`, () => assert.equal(plain(percent(share, digits)), expected));
}

test("an interval has one unit", () => assert.equal(plain(interval(0.994558, 0.997061)), "99.46 to 99.71 %"));

test("counts have thousands separators, and nouns their plural", () => {
  assert.equal(count(115992), "115,992");
  assert.deepEqual([1, 0].map((n) => counted(n, "image")), ["1 image", "0 images"]);
  assert.equal(words("several_digits"), "several digits");
});
