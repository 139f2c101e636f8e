// Asks the worker instead of the service.

import { ServiceError } from "../service/predict.js";

/** @type {Worker | null} */
let worker = null;
/** @typedef {{id: number, kind: string, content: unknown[]}} Question */

/** @type {Map<number, PromiseWithResolvers<any> & {question: Question}>} the questions without an answer, by their numbers */
const waiting = new Map();
let nAsked = 0;

/**
 * @param {Ask} ask
 * @returns {Promise<Answer>}
 */
export async function predict(ask) {
  const startMs = performance.now();
  const details = new URL(ask.request().url, location.href).searchParams.get("detail") ?? "";
  const withFeatures = details.split(",").includes("features");
  const answer = await (ask.file ? call("file", ask.file, withFeatures) : call("strokes", ask.strokes, withFeatures));
  return { ...answer, by: "browser", roundTripMs: performance.now() - startMs };
}

/**
 * @param {NetworkAsk} ask
 * @returns {Promise<NetworkAnswer>}
 */
export function askNetwork({ grids, layers = false }) {
  return call("grids", grids, layers);
}

/**
 * @param {KernelAsk} ask
 * @returns {Promise<KernelAnswer>}
 */
export function askKernel({ layer, channel }) {
  return call("kernel", layer, channel);
}

/**
 * @param {Stroke[]} strokes
 * @returns {Promise<NumberAnswer>}
 */
export function askNumber(strokes) {
  return call("number", strokes);
}

/** Start the worker, which loads the model, before the first question. */
export function prepare() {
  worker ??= start();
}

/** Load the model anew, because another was kept. It gets the questions without an answer. */
export function restart() {
  if (!worker) return;
  worker.terminate();
  worker = start();
  for (const { question } of waiting.values()) worker.postMessage(question);
}

/**
 * @param {string} kind
 * @param {...unknown} content
 * @returns {Promise<any>}
 */
function call(kind, ...content) {
  worker ??= start();
  nAsked += 1;
  const question = { id: nAsked, kind, content };
  const asked = { ...Promise.withResolvers(), question };
  waiting.set(nAsked, asked);
  worker.postMessage(question);
  return asked.promise;
}

function start() {
  const started = new Worker("js/local/worker.js", { type: "module" });
  started.addEventListener("message", ({ data: { id, answer, problem } }) => {
    if (problem) waiting.get(id)?.reject(new ServiceError(problem));
    else waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  started.addEventListener("error", () => {
    worker = null;
    for (const { reject } of waiting.values()) reject(new ServiceError("This browser cannot run the model."));
    waiting.clear();
  });
  return started;
}
