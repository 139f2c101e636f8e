import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { LatestRequest } from "../../../web/js/service/latest.js";
import { predict } from "../../../web/js/service/predict.js";
import { errorText } from "../../../web/js/service/problems.js";

/** @type {{url: string, answer: (body: object | string, status?: number, headers?: Record<string, string>) => Promise<void>}[]} requests without a response yet */
let requests = [];
const realFetch = globalThis.fetch;
const settled = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  requests = [];
  globalThis.fetch = (url, options) =>
    new Promise((resolve, reject) => {
      options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      requests.push({
        url: String(url),
        async answer(body, status = 200, headers = { "Server-Timing": "decode;dur=0.1, infer;dur=0.5, total;dur=0.9" }) {
          resolve(typeof body === "string" ? new Response(body, { status, headers }) : Response.json(body, { status, headers }));
          await settled();
        },
      });
    });
});

afterEach(() => {
  globalThis.fetch = realFetch;
});

function start() {
  const log = [];
  const latest = new LatestRequest(predict, {
    answer: (answer, ask, isNewest) => log.push([answer.digit, isNewest, answer]),
    error: (error, ask, isAskedAgain) => log.push([errorText(error, false, isAskedAgain), error.canRetry]),
  });
  return { latest, log, ask: (url) => latest.ask({ request: () => ({ url, body: new Uint8Array() }) }) };
}

const urls = () => requests.map(({ url }) => url).join("");
const shown = (log) => log.map((entry) => entry.slice(0, 2));

/** Respond to request n with 503. */
async function beBusy(n, retryAfter = "0.005") {
  while (requests.length < n) await settled(1);
  await requests[n - 1].answer({ error: "Busy" }, 503, { "Retry-After": retryAfter });
}

test("one request runs, and only the latest of the others is sent", async () => {
  const { latest, log, ask } = start();
  for (const url of ["a", "b", "c"]) ask(url);
  assert.equal(urls(), "a");
  await requests[0].answer({ digit: 1 });
  assert.equal(urls(), "ac");
  assert.equal(latest.isBusy, true);
  await requests[1].answer({ digit: 3 });
  assert.deepEqual(shown(log), [[1, false], [3, true]]);
  assert.equal(latest.isBusy, false);
  const { decodeMs, inferMs, serviceMs, roundTripMs } = log[1][2];
  assert.deepEqual([decodeMs, inferMs, serviceMs], [0.1, 0.5, 0.9]);
  assert.ok(roundTripMs >= 0);
});

test("a cancelled request has no result, and the next one is answered", async () => {
  const { latest, log, ask } = start();
  ask("a");
  latest.cancel();
  ask("b");
  await settled();
  await requests[1].answer({ digit: 2 });
  assert.deepEqual(shown(log), [[2, true]]);
});

test("a hurried request does not wait for the running one, which is forgotten", async () => {
  const { latest, log, ask } = start();
  for (const url of ["a", "b"]) ask(url);
  latest.hurry();
  assert.equal(urls(), "ab");
  latest.hurry();
  await requests[0].answer({ digit: 1 });
  assert.equal(latest.isBusy, true);
  await requests[1].answer({ digit: 2 });
  assert.deepEqual(shown(log), [[2, true]]);
  assert.equal(latest.isBusy, false);
  assert.equal(urls(), "ab");
});

test("an error is reported only if no newer request waits", async () => {
  const { log, ask } = start();
  for (const url of ["a", "b"]) ask(url);
  await requests[0].answer({ error: "The first" }, 400);
  await requests[1].answer({ error: "The second" }, 400);
  assert.deepEqual(log, [["The second", false]]);
});

test("after Retry-After, only the latest request is sent again", async () => {
  const { latest, log, ask } = start();
  ask("a");
  await beBusy(1, "0.02");
  assert.deepEqual(log, [["The service cannot answer just now. Retrying automatically.", true]]);
  for (const url of ["b", "c"]) ask(url);
  latest.hurry();
  assert.equal(urls(), "a");
  await beBusy(2);
  while (requests.length < 3) await settled(1);
  await requests[2].answer({ digit: 3 });
  assert.equal(urls(), "acc");
  assert.deepEqual(shown(log).at(-1), [3, true]);
  assert.equal(latest.isBusy, false);
});

test("a request is repeated five times at most", async () => {
  const { latest, log, ask } = start();
  ask("a");
  for (let n = 1; n <= 6; n += 1) await beBusy(n, "0.001");
  assert.equal(latest.isBusy, false);
  assert.deepEqual(log.at(-1), ["The service cannot answer just now.", true]);
});

test("a cancelled request is not repeated", async () => {
  const { latest, log, ask } = start();
  ask("a");
  await beBusy(1, "60");
  latest.cancel();
  ask("b");
  await settled(5);
  await requests[1].answer({ digit: 2 });
  assert.deepEqual(shown(log).at(-1), [2, true]);
});

test("the page of a proxy is not an answer, but its 4xx status is an error", async () => {
  const { log, ask } = start();
  for (const [i, status] of [200, 502, 413].entries()) {
    ask("a");
    await requests[i].answer("<h1>Proxy</h1>", status);
  }
  const unreachable = ["The service cannot be reached.", true];
  assert.deepEqual(log, [unreachable, unreachable, ["The service answered 413.", false]]);
});

test("a large file has more time than ink", (t) => {
  const limits = t.mock.method(AbortSignal, "timeout");
  for (const body of [new Uint8Array(280 ** 2), new Blob([new Uint8Array(2 ** 23)])]) start().latest.ask({ request: () => ({ url: "a", body }) });
  const [ink, file] = limits.mock.calls.map(({ arguments: [ms] }) => ms);
  assert.equal(ink, 10_000);
  assert.ok(file > 4 * 60_000);
});
