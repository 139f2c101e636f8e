// Runs the model in a thread of its own. Only this worker may run WebAssembly: its response has a policy of its own.

import { greyOf } from "../base/pixels.js";
import { Reader } from "./reader.js";

const RUNTIME = "runtime/ort.wasm.bundle.min.mjs";
const BINARY = "runtime/ort-wasm-simd-threaded.wasm";

/** The service averages larger pictures down to this side first, too. */
const LONGEST_SIDE = 1023;

const ready = open();
/** Questions wait for each other, because a session runs one at a time. */
let last = Promise.resolve();

/** @type {Record<string, (reader: Reader, ...content: any[]) => Promise<object>>} */
const ANSWERS = {
  strokes: (reader, strokes, withFeatures) => reader.readStrokes(strokes, withFeatures),
  file: async (reader, file, withFeatures) => {
    const startMs = performance.now();
    return reader.readGrey(await decode(file), startMs, withFeatures);
  },
  grids: (reader, grids, withLayers) => reader.readGrids(grids, withLayers),
  number: (reader, strokes) => reader.readNumber(strokes),
  kernel: (reader, layer, channel) => reader.readKernel(layer, channel),
};

self.addEventListener("message", ({ data: { id, kind, content } }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id, answer: await ANSWERS[kind](await ready, ...content) });
    } catch (error) {
      self.postMessage({ id, problem: error instanceof UnreadableError ? error.message : `This browser cannot read it itself: ${error}` });
    }
  });
});

class UnreadableError extends Error {}

/** @returns {Promise<Reader>} */
async function open() {
  const [runtime, card, file] = await Promise.all([import(addressOf(RUNTIME)), load("api/model"), load("api/model.onnx")]);
  // More threads would need headers that isolate the page, and an answer takes a millisecond.
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmPaths = { wasm: addressOf(BINARY) };
  return Reader.open(runtime, new Uint8Array(await file.arrayBuffer()), await card.json());
}

/**
 * @param {string} name of a file of the page
 * @returns {string}
 */
function addressOf(name) {
  return new URL(`../../${name}`, import.meta.url).href;
}

/**
 * @param {string} name
 * @returns {Promise<Response>} from the cache, otherwise from the network; a page on plain http has no cache
 */
async function load(name) {
  const kept = "caches" in self ? await caches.match(addressOf(name)) : undefined;
  return kept ?? fetch(addressOf(name));
}

/**
 * @param {File} file of a picture
 * @returns {Promise<import("./reader.js").Grey>}
 */
async function decode(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new UnreadableError("This file is no image that this browser can read. Give a PNG or JPEG file.");
  });
  const { width: sourceWidth, height: sourceHeight } = bitmap;
  const zoom = 1 / Math.ceil(Math.max(sourceWidth, sourceHeight) / LONGEST_SIDE);
  const [width, height] = [sourceWidth, sourceHeight].map((side) => Math.max(1, Math.ceil(side * zoom)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("no canvas");
  // The service reads transparent pixels as white.
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, sourceWidth * zoom, sourceHeight * zoom);
  bitmap.close();
  return { levels: greyOf(context.getImageData(0, 0, width, height).data), width, height, zoom, left: 0, top: 0, sourceWidth, sourceHeight };
}
