import assert from "node:assert/strict";
import { test } from "node:test";

import { ServiceError } from "../../../web/js/service/predict.js";
import { errorText } from "../../../web/js/service/problems.js";

/** @type {(status: number | undefined, isFile: boolean, isAskedAgain: boolean) => string} */
const tell = (status, isFile, isAskedAgain) => errorText(new ServiceError("The API's words.", { status }), isFile, isAskedAgain);

test("what is asked again by itself is told so, and nothing else is", () => {
  for (const status of [0, 503]) {
    assert.match(tell(status, false, true), /by itself\.$/);
    for (const isFile of [false, true]) assert.doesNotMatch(tell(status, isFile, false), /by itself/);
  }
});

test("a file that alone does not arrive is not called a lost service", () => {
  assert.match(tell(0, true, false), /smaller copy/);
});

test("a fault is not told in the API's words, a refusal is", () => {
  for (const status of [500, 503, 507]) assert.doesNotMatch(tell(status, false, false), /API/);
  for (const status of [undefined, 403, 404]) assert.equal(tell(status, false, false), "The API's words.");
});
