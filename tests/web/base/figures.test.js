import assert from "node:assert/strict";
import { test } from "node:test";

import { count, counted, interval, partOf, percent, words } from "../../../web/js/base/figures.js";

/** Without the no-break spaces, which nobody tells apart in a message. */
const plain = (text) => text.replaceAll("\u00a0", " ");

test("a share is told as a percentage, and only what is certain as 0 % or 100 %", () => {
  assert.equal(plain(percent(0.996)), "99.60 %");
  assert.equal(plain(percent(0.99999)), "99.99 %");
  assert.equal(plain(percent(0.99999, 1)), "99.9 %");
  assert.equal(plain(percent(1)), "100.00 %");
  assert.equal(plain(percent(0.000001)), "0.01 %");
  assert.equal(plain(percent(0)), "0.00 %");
});

test("an interval names its unit once", () => {
  assert.equal(plain(interval(0.994558, 0.997061)), "99.46 to 99.71 %");
});

test("counts have their thousands marked off, and nouns their plural", () => {
  assert.equal(count(115992), "115,992");
  assert.equal(counted(1, "image"), "1 image");
  assert.equal(counted(0, "image"), "0 images");
  assert.equal(words("several_digits"), "several digits");
});

test("a figure on its way keeps its form, and ends as it is told", () => {
  assert.equal(plain(partOf("99.60 %", 0)), "0.00 %");
  assert.equal(partOf("115,992", 0.5), "57,996");
  for (const text of ["99.60 %", "115,992", "0.0144", "–"]) assert.equal(partOf(text, 1), text);
});
