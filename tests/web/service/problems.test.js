import assert from "node:assert/strict";
import { test } from "node:test";

import { ServiceError } from "../../../web/js/service/predict.js";
import { errorText } from "../../../web/js/service/problems.js";

const textOf = (status, isFile, isAskedAgain) => errorText(new ServiceError("The API's words.", { status }), isFile, isAskedAgain);

test("only an automatic repeat is announced", () => {
  const announced = /Retrying automatically|when the service is back/;
  for (const status of [0, 503]) {
    assert.match(textOf(status, false, true), announced);
    for (const isFile of [false, true]) assert.doesNotMatch(textOf(status, isFile, false), announced);
  }
});

test("a file that does not arrive gets its own message", () => assert.match(textOf(0, true, false), /smaller copy/));

test("a fault has a message of the page, a rejection has that of the API", () => {
  for (const status of [500, 503, 507]) assert.doesNotMatch(textOf(status, false, false), /API/);
  for (const status of [undefined, 403, 404]) assert.equal(textOf(status, false, false), "The API's words.");
});
