// Requests to the service.

/** Limit for a request, so that a service that hangs does not block the page. */
const TIMEOUT_MS = 10_000;

/** Additional time for an upload, at 32 kB a second. */
const MS_PER_BYTE = 1 / 32;

/** An error whose message is a sentence for the visitor. */
export class ServiceError extends Error {
  /**
   * @param {string} message
   * @param {object} [about]
   * @param {number} [about.status] of the response; 0 if the service could not be reached
   * @param {number} [about.retryAfterMs] from the Retry-After header
   */
  constructor(message, { status, retryAfterMs } = {}) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {boolean} */
  get isUnreachable() {
    return this.status === 0;
  }

  /** @returns {boolean} whether the same request may work later */
  get canRetry() {
    return this.isUnreachable || this.status === 408 || (this.status ?? 0) >= 500;
  }
}

/** @returns {Promise<Card>} */
export async function fetchCard() {
  return (await fetchJson("api/model", { cache: "no-store" })).body;
}

/**
 * Run the network without the preprocessing. Grids that differ in few pixels become a tenth of their size.
 *
 * @param {NetworkAsk} ask
 * @param {AbortSignal} signal
 * @returns {Promise<NetworkAnswer>}
 */
export async function askNetwork({ grids, layers = false }, signal) {
  const headers = { "Content-Type": "application/octet-stream", "Content-Encoding": "gzip" };
  const body = await new Response(new Blob([grids]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  return (await fetchJson(`api/network${layers ? "?layers=true" : ""}`, { method: "POST", body, headers }, signal)).body;
}

/**
 * @param {KernelAsk} ask
 * @param {AbortSignal} signal
 * @returns {Promise<KernelAnswer>}
 */
export async function askKernel({ layer, channel }, signal) {
  return (await fetchJson(`api/kernel?layer=${layer}&channel=${channel}`, {}, signal)).body;
}

/**
 * Read strokes as a number of several digits.
 *
 * @param {Stroke[]} strokes
 * @param {AbortSignal} signal
 * @returns {Promise<NumberAnswer>}
 */
export async function askNumber(strokes, signal) {
  const headers = { "Content-Type": "application/json" };
  return (await fetchJson("api/number", { method: "POST", body: JSON.stringify({ strokes }), headers }, signal)).body;
}

/**
 * Store a drawing in the service, as training data.
 *
 * @param {Stroke[]} strokes
 * @param {number} label index of its class
 */
export async function sendDrawing(strokes, label) {
  const headers = { "Content-Type": "application/json" };
  await fetchJson("api/drawings", { method: "POST", body: JSON.stringify({ strokes, label }), headers });
}

/**
 * @param {Stroke[]} strokes
 * @param {boolean} [withFeatures]
 * @returns {ServiceRequest}
 */
export function strokesRequest(strokes, withFeatures = false) {
  const headers = { "Content-Type": "application/json" };
  return { url: predictUrl(withFeatures), body: JSON.stringify({ strokes }), headers };
}

/**
 * @param {File} file
 * @param {boolean} [withFeatures]
 * @returns {ServiceRequest} with the unchanged file and its own Content-Type
 */
export function fileRequest(file, withFeatures = false) {
  return { url: predictUrl(withFeatures), body: file };
}

/** @param {boolean} withFeatures */
function predictUrl(withFeatures) {
  return `api/predict?detail=full${withFeatures ? ",features" : ""}`;
}

/**
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
  return { ...body, by: "service", decodeMs, inferMs, serviceMs, roundTripMs };
}

/**
 * Check that the file still exists. A request with a missing file fails in the same way as a lost service.
 *
 * @param {File} file
 * @throws {ServiceError} if it was changed, moved or deleted after it was chosen
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
    // No connection, a timeout, or the page of a proxy.
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
