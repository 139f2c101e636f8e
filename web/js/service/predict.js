// Talks to the service: the model's card, and answers to ink and images.

/** Longer than any honest answer takes: a service that hangs must not silence the page for good. */
const TIMEOUT_MS = 10_000;

/** What a large photo on a slow line has besides: 32 kB a second are waited for. */
const MS_PER_BYTE = 1 / 32;

/** What went wrong, in a sentence to show. */
export class ServiceError extends Error {
  /**
   * @param {string} message
   * @param {object} [about]
   * @param {number} [about.status] of the service's answer; 0 where nothing of it answered
   * @param {number} [about.retryAfterMs] from when on the same request may work, as the service tells it
   */
  constructor(message, { status, retryAfterMs } = {}) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {boolean} whether nothing of the service answered */
  get isUnreachable() {
    return this.status === 0;
  }

  /** @returns {boolean} whether the same request may work later */
  get canRetry() {
    return this.isUnreachable || this.status === 408 || (this.status ?? 0) >= 500;
  }
}

/** @returns {Promise<Card>} the model's card, as the service reads it from the model file */
export async function fetchCard() {
  return (await fetchJson("api/model", { cache: "no-store" })).body;
}

/**
 * Asks the network alone, without the preprocessing before it.
 *
 * @param {NetworkAsk} ask
 * @param {AbortSignal} signal
 * @returns {Promise<NetworkAnswer>}
 */
export async function askNetwork({ grids, layers = false }, signal) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await fetchJson(`api/network${layers ? "?layers=true" : ""}`, { method: "POST", body: grids, headers }, signal)).body;
}

/**
 * Has the service store a drawing, to train on.
 *
 * @param {Stroke[]} strokes
 * @param {number} label the digit that it is, 0 to 9
 */
export async function sendDrawing(strokes, label) {
  const headers = { "Content-Type": "application/json" };
  await fetchJson("api/drawings", { method: "POST", body: JSON.stringify({ strokes, label }), headers });
}

/**
 * @param {Uint8Array<ArrayBuffer>} grey `side` x `side` bytes
 * @param {number} side
 * @returns {ServiceRequest} the request that has them read
 */
export function inkRequest(grey, side) {
  const headers = { "Content-Type": "application/octet-stream" };
  return { url: `api/predict?width=${side}&height=${side}`, body: grey, headers };
}

/**
 * @param {File} file
 * @returns {ServiceRequest} the request that has an image file read, as it is and under its own Content-Type
 */
export function fileRequest(file) {
  return { url: "api/predict", body: file };
}

/**
 * Has ink or an image read.
 *
 * @param {Ask} ask
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function predict(ask, signal) {
  if (ask.file) await checkReadable(ask.file);
  const { url, ...options } = ask.request();
  const sent = performance.now();
  const { body, headers } = await fetchJson(url, { method: "POST", ...options }, signal);
  const roundTripMs = performance.now() - sent;
  const [decodeMs, inferMs, serviceMs] = ["decode", "infer", "total"].map((stage) => stageMs(headers, stage));
  return { ...body, decodeMs, inferMs, serviceMs, roundTripMs };
}

/**
 * A request fails alike where the service is gone and where its file is.
 *
 * @param {File} file
 * @throws {ServiceError} where it was changed, moved or deleted since it was chosen
 */
async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new ServiceError("This file was changed, moved or deleted since you chose it. Choose it again.");
  }
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @param {AbortSignal} [signal]
 * @returns {Promise<{body: any, headers: Headers}>}
 */
async function fetchJson(url, options, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS + MS_PER_BYTE * (options.body instanceof Blob ? options.body.size : 0));
  let response, body;
  try {
    response = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    body = await response.json();
  } catch {
    // No connection, no answer in time, or a page by something else than the service, such as a proxy.
  }
  const isRefused = response && response.status >= 400 && response.status < 500;
  if (!response || !(body || isRefused)) throw new ServiceError("The service cannot be reached.", { status: 0 });
  if (response.ok) return { body, headers: response.headers };
  const retryAfterMs = 1000 * Number(response.headers.get("Retry-After")) || undefined;
  throw new ServiceError(body?.error ?? `The service answered ${response.status}.`, { status: response.status, retryAfterMs });
}

/**
 * @param {Headers} headers with a Server-Timing like `decode;dur=0.12, infer;dur=0.31`
 * @param {string} stage
 * @returns {number | null} its milliseconds
 */
function stageMs(headers, stage) {
  const match = new RegExp(`\\b${stage};dur=([\\d.]+)`).exec(headers.get("Server-Timing") ?? "");
  return match && Number(match[1]);
}
