import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { LatestRequest } from "../../../web/js/service/latest.js";
import { predict } from "../../../web/js/service/predict.js";
import { errorText } from "../../../web/js/service/problems.js";

/** @type {{url: string, answer: (body: object | string, status?: number, headers?: Record<string, string>) => Promise<void>}[]} requests that wait for their answers */
let requests = [];
const realFetch = globalThis.fetch;

beforeEach(() => {
  requests = [];
  globalThis.fetch = (url, options) =>
    new Promise((resolve, reject) => {
      options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      requests.push({
        url: String(url),
        async answer(body, status = 200, headers = { "Server-Timing": "decode;dur=0.1, infer;dur=0.5, total;dur=0.9" }) {
          resolve(typeof body === "string" ? new Response(body, { status, headers }) : Response.json(body, { status, headers }));
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
  const made = new LatestRequest(predict, {
    answer: (answer, ask, isNewest) => told.push([answer.digit, isNewest]),
    error: (error, ask, isAskedAgain) => told.push([errorText(error, false, isAskedAgain), error.canRetry]),
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
  await requests[0].answer({ error: "The first" }, 400);
  await requests[1].answer({ error: "The second" }, 400);
  assert.deepEqual(told, [["The second", false]]);
});

/** @type {(n: number) => Promise<void>} */
async function untilSent(n) {
  while (requests.length < n) await new Promise((settled) => setTimeout(settled, 1));
}

const SOON = { "Retry-After": "0.02" };

test("a busy service is asked again when it says so, for the newest ink alone", async () => {
  const { made, told, ask } = predictor();
  ask("a");
  await requests[0].answer({ error: "Busy" }, 503, SOON);
  assert.deepEqual(told, [["The service cannot answer just now. It is asked again by itself.", true]]);
  for (const url of ["b", "c"]) ask(url);
  assert.deepEqual(requests.map(({ url }) => url), ["a"]);
  await untilSent(2);
  await requests[1].answer({ error: "Busy" }, 503, SOON);
  await untilSent(3);
  await requests[2].answer({ digit: 3 });
  assert.deepEqual(requests.map(({ url }) => url), ["a", "c", "c"]);
  assert.deepEqual(told.at(-1), [3, true]);
  assert.equal(made.isBusy, false);
});

test("a service that stays busy is not asked for ever", async () => {
  const { made, told, ask } = predictor();
  ask("a");
  for (let n = 1; n <= 6; n += 1) {
    await untilSent(n);
    await requests[n - 1].answer({ error: "Busy" }, 503, { "Retry-After": "0.001" });
  }
  assert.equal(made.isBusy, false);
  assert.deepEqual(told.at(-1), ["The service cannot answer just now.", true]);
});

test("what is cancelled is not asked again", async () => {
  const { made, told, ask } = predictor();
  ask("a");
  await requests[0].answer({ error: "Busy" }, 503, { "Retry-After": "60" });
  made.cancel();
  ask("b");
  await untilSent(2);
  await requests[1].answer({ digit: 2 });
  assert.deepEqual(told.at(-1), [2, true]);
});

test("a proxy's page is no answer, but its refusal is one", async () => {
  const { told, ask } = predictor();
  for (const [i, status] of [200, 502, 413].entries()) {
    ask("a");
    await requests[i].answer("<h1>Proxy</h1>", status);
  }
  const unreachable = ["The service cannot be reached.", true];
  assert.deepEqual(told, [unreachable, unreachable, ["The service answered 413.", false]]);
});

test("a large file has the time that it takes on a slow line, and ink has not", (t) => {
  const limits = t.mock.method(AbortSignal, "timeout");
  for (const body of [new Uint8Array(280 ** 2), new Blob([new Uint8Array(2 ** 23)])]) {
    new LatestRequest(predict, { answer: assert.fail, error: assert.fail }).ask({ request: () => ({ url: "a", body }) });
  }
  const [ink, file] = limits.mock.calls.map(({ arguments: [ms] }) => ms);
  assert.equal(ink, 10_000);
  assert.ok(file > 4 * 60_000);
});

test("an answer carries the durations that the service tells, and the round trip", async () => {
  /** @type {Answer | undefined} */
  let told;
  const made = new LatestRequest(predict, { answer: (/** @type {Answer} */ answer) => (told = answer), error: assert.fail });
  made.ask({ request: () => ({ url: "a", body: new Uint8Array() }) });
  await requests[0].answer({ digit: 1 });
  assert.deepEqual([told?.decodeMs, told?.inferMs, told?.serviceMs], [0.1, 0.5, 0.9]);
  assert.ok(told && told.roundTripMs >= 0);
});
