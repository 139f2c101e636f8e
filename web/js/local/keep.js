// The button "Make it work without the service": keeps the model and its runtime in this browser.

import { byId } from "../base/dom.js";
import { say } from "../base/speech.js";
import { restart } from "./client.js";

/** The same name as in sw.js, which answers with the kept files. */
const CACHE = "inkling-page";

const CARD = "api/model";
const MODEL = "api/model.onnx";
const FILES = [
  "js/local/metadata.js",
  "js/local/reader.js",
  "js/local/values.js",
  "js/local/worker.js",
  "js/base/pixels.js",
  "js/base/raster.js",
  "js/number/candidates.js",
  "js/number/decode.js",
  "runtime/ort.wasm.bundle.min.mjs",
  "runtime/ort-wasm-simd-threaded.wasm",
];

const button = byId("keep-button", HTMLButtonElement);
const text = byId("keep-text");
const OFFER = { label: button.textContent, text: text.textContent };

/** @type {Card | null} of the service */
let card = null;
/** @type {Promise<Card | null> | null} of the kept model */
let kept = null;
let isBusy = false;

button.addEventListener("click", async () => {
  if (isBusy || !card) return;
  if (await keptCard()) return forget();
  await keep("Loading…", "This did not work: the files could not be loaded or kept. Try again.");
  say(text.textContent ?? "");
});

/** @returns {Promise<Card | null>} the card of the kept model, if there is one */
export function keptCard() {
  kept ??= readCard();
  return kept;
}

async function readCard() {
  // Browsers have no cache on plain http.
  if (!("caches" in self)) return null;
  const response = await caches.match(CARD).catch(() => undefined);
  return response ? response.json() : null;
}

/**
 * Show the button where it can work, and renew the kept model if the service has another.
 *
 * @param {Card} newest
 */
export async function showCard(newest) {
  card = newest;
  const isAlone = document.documentElement.dataset.service === "none";
  byId("keep").hidden = isAlone || !newest.service.runtime || !("caches" in self && navigator.serviceWorker);
  const old = await keptCard();
  if (old ? old.sha256 !== newest.sha256 : isAlone) await keep("", "");
  else show(Boolean(old));
}

/**
 * @param {string} progress what to show meanwhile
 * @param {string} problem what to show if it fails
 */
async function keep(progress, problem) {
  isBusy = true;
  text.textContent = progress;
  try {
    await load(/** @type {Card} */ (card));
    show(true);
  } catch {
    // The next card tries again.
    text.textContent = problem || OFFER.text;
  }
  isBusy = false;
}

/** @param {Card} wanted */
async function load(wanted) {
  const model = await fetch(MODEL);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await model.clone().arrayBuffer()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== wanted.sha256) throw new Error("The service has another model by now.");
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  const isOther = await cache.delete(CARD);
  await cache.put(MODEL, model);
  // The last one: with it, everything is there.
  await cache.put(CARD, Response.json(wanted));
  kept = Promise.resolve(wanted);
  if (isOther) restart();
}

async function forget() {
  const cache = await caches.open(CACHE);
  await Promise.all([CARD, MODEL, ...FILES.filter((name) => name.startsWith("runtime/"))].map((name) => cache.delete(name)));
  kept = null;
  show(false);
}

/** @param {boolean} isKept */
function show(isKept) {
  button.textContent = isKept ? "Remove the model from this browser" : OFFER.label;
  text.textContent = isKept ? "It works without the service: while the service is away, this browser reads." : OFFER.text;
}
