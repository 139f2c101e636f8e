import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Predictor } from "../../web/js/predict.js";

/** @type {{url: string, answer: (body: object, status?: number) => Promise<void>}[]} requests that wait for their answers */
let requests = [];
const realFetch = globalThis.fetch;

beforeEach(() => {
  requests = [];
  globalThis.fetch = (url, options) =>
    new Promise((resolve, reject) => {
      options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      requests.push({
        url: String(url),
        async answer(body, status = 200) {
          resolve(Response.json(body, { status, headers: { "Server-Timing": "decode;dur=0.1, infer;dur=0.5, total;dur=0.9" } }));
          await new Promise((settled) => setTimeout(settled));
        },
      });
    });
});

afterEach(() => {
  globalThis.fetch = realFetch;
});

function predictor() {
  /** @type {unknown[]} */
  const told = [];
  const made = new Predictor({
    answer: (answer, ask, isNewest) => told.push([answer.digit, isNewest]),
    error: (error) => told.push(error.message),
  });
  return { made, told, ask: (/** @type {string} */ url) => made.ask({ request: () => ({ url, body: new Uint8Array() }) }) };
}

test("one request is under way, and of those that wait the newest is sent", async () => {
  const { made, told, ask } = predictor();
  for (const url of ["a", "b", "c"]) ask(url);
  assert.deepEqual(requests.map(({ url }) => url), ["a"]);
  await requests[0].answer({ digit: 1 });
  assert.deepEqual(requests.map(({ url }) => url), ["a", "c"]);
  assert.equal(made.isBusy, true);
  await requests[1].answer({ digit: 3 });
  assert.deepEqual(told, [[1, false], [3, true]]);
  assert.equal(made.isBusy, false);
});

test("what is cancelled is not told, and the next ask is answered", async () => {
  const { made, told, ask } = predictor();
  ask("a");
  made.cancel();
  ask("b");
  await new Promise((settled) => setTimeout(settled));
  await requests[1].answer({ digit: 2 });
  assert.deepEqual(told, [[2, true]]);
});

test("an error is told unless newer ink waits", async () => {
  const { told, ask } = predictor();
  ask("a");
  ask("b");
  await requests[0].answer({ error: "The first" }, 503);
  await requests[1].answer({ error: "The second" }, 503);
  assert.deepEqual(told, ["The second"]);
});

test("an answer carries the durations that the service tells, and the round trip", async () => {
  /** @type {Answer | undefined} */
  let told;
  const made = new Predictor({ answer: (answer) => (told = answer), error: assert.fail });
  made.ask({ request: () => ({ url: "a", body: new Uint8Array() }) });
  await requests[0].answer({ digit: 1 });
  assert.deepEqual([told?.decodeMs, told?.inferMs, told?.serviceMs], [0.1, 0.5, 0.9]);
  assert.ok(told && told.roundTripMs >= 0);
});
