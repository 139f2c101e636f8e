import assert from "node:assert/strict";
import { test } from "node:test";

import { HealthMonitor } from "../../../web/js/service/health.js";

test("an absent service is looked for at longer and longer intervals, and its return is told once", async (t) => {
  Object.assign(globalThis, { window: new EventTarget(), document: Object.assign(new EventTarget(), { hidden: false }) });
  t.after(() => ["window", "document"].forEach((name) => Reflect.deleteProperty(globalThis, name)));
  /** @type {number[]} */
  const pauses = [];
  t.mock.method(globalThis, "setInterval", () => 0);
  t.mock.method(globalThis, "setTimeout", (/** @type {() => void} */ _, /** @type {number} */ ms) => pauses.push(ms));
  const fetched = t.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError()));
  /** @type {string[]} */
  const told = [];
  const watch = new HealthMonitor({ card: () => told.push("card"), down: () => told.push("down"), back: () => told.push("back") });

  for (let n = 0; n < 6; n += 1) await watch.check();
  assert.deepEqual(pauses, [3000, 6000, 12_000, 24_000, 30_000, 30_000]);
  fetched.mock.mockImplementation(() => Promise.resolve(Response.json({ version: "a" })));
  for (let n = 0; n < 2; n += 1) await watch.check();
  assert.deepEqual(told.slice(6), ["card", "back", "card"]);
  fetched.mock.mockImplementation(() => Promise.reject(new TypeError()));
  await watch.check();
  assert.equal(pauses.at(-1), 3000);
});
