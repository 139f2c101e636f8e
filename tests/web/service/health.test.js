import assert from "node:assert/strict";
import { test } from "node:test";

import { HealthMonitor } from "../../../web/js/service/health.js";

test("a lost service is checked with growing pauses, and its return is reported once", async (t) => {
  Object.assign(globalThis, { window: new EventTarget(), document: Object.assign(new EventTarget(), { hidden: false }) });
  t.after(() => ["window", "document"].forEach((name) => Reflect.deleteProperty(globalThis, name)));
  const pauses = [];
  t.mock.method(globalThis, "setInterval", () => 0);
  t.mock.method(globalThis, "setTimeout", (_, ms) => pauses.push(ms));
  const fetched = t.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError()));
  const log = [];
  const health = new HealthMonitor({ card: () => log.push("card"), down: () => log.push("down"), back: () => log.push("back") });

  for (let n = 0; n < 6; n += 1) await health.check();
  assert.deepEqual(pauses, [3000, 6000, 12_000, 24_000, 30_000, 30_000]);
  fetched.mock.mockImplementation(() => Promise.resolve(Response.json({ version: "a" })));
  for (let n = 0; n < 2; n += 1) await health.check();
  assert.deepEqual(log.slice(6), ["card", "back", "card"]);
  fetched.mock.mockImplementation(() => Promise.reject(new TypeError()));
  await health.check();
  assert.equal(pauses.at(-1), 3000);
});
