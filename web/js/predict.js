// Talks to the service: the model's card, and answers to ink and images.

/** Longer than any honest answer takes: a service that hangs must not silence the page for good. */
const TIMEOUT_MS = 10_000;

/** What went wrong, in a sentence to show. */
export class ServiceError extends Error {
  /**
   * @param {string} message
   * @param {boolean} canRetry whether the same request may work later
   * @param {boolean} [isUnreachable] whether nothing of the service answered
   */
  constructor(message, canRetry, isUnreachable = false) {
    super(message);
    this.canRetry = canRetry;
    this.isUnreachable = isUnreachable;
  }
}

/** @returns {Promise<Card>} the model's card, as the service reads it from the model file */
export async function fetchCard() {
  return (await fetchJson("api/model", { cache: "no-store" })).body;
}

/**
 * Asks the network alone, without the preprocessing before it.
 *
 * @param {Uint8Array<ArrayBuffer>} grids n x 28 x 28 levels (255 = ink), as `normalized` of an answer has them
 * @param {{layers?: boolean}} [options] `layers`: the feature maps of the first grid are told as well
 * @param {AbortSignal} [signal]
 * @returns {Promise<NetworkAnswer>}
 */
export async function askNetwork(grids, { layers = false } = {}, signal) {
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
 * Asks for answers, one request at a time: the newest ask waits while a request is under way and replaces an older one
 * that waits, so that the page is as live as the service is fast and the last ink is always answered.
 */
export class Predictor {
  #on;
  /** @type {Ask | null} */
  #waiting = null;
  /** @type {Ask | null} */
  #last = null;
  /** @type {AbortController | null} */
  #abort = null;

  /**
   * @param {object} on
   * @param {(answer: Answer, ask: Ask, isNewest: boolean) => void} on.answer
   * @param {(error: ServiceError) => void} on.error an error that a newer ask overtakes is not told
   */
  constructor(on) {
    this.#on = on;
  }

  /** @returns {boolean} true while an answer is under way or an ask waits */
  get isBusy() {
    return this.#abort !== null;
  }

  /**
   * Sends the ask as soon as no other request is under way.
   *
   * @param {Ask} ask
   */
  ask(ask) {
    this.#waiting = this.#last = ask;
    if (!this.#abort) this.#run();
  }

  /** Sends the last ask once more. */
  askAgain() {
    if (this.#last) this.ask(this.#last);
  }

  /** Forgets the ask that waits, and drops the request under way: its answer will not be told. */
  cancel() {
    this.#waiting = this.#last = null;
    this.#abort?.abort();
  }

  async #run() {
    while (this.#waiting) {
      const ask = this.#waiting;
      this.#waiting = null;
      this.#abort = new AbortController();
      const tell = await this.#outcome(ask, this.#abort.signal);
      // Before it is told, so that who is told may ask at once.
      if (!this.#waiting) this.#abort = null;
      try {
        tell();
      } catch (error) {
        reportError(error); // in the console; what waits is asked all the same
      }
    }
  }

  /**
   * @param {Ask} ask
   * @param {AbortSignal} signal
   * @returns {Promise<() => void>} what tells it
   */
  async #outcome(ask, signal) {
    try {
      const answer = await predict(ask.request(), signal);
      return () => signal.aborted || this.#on.answer(answer, ask, this.#waiting === null);
    } catch (error) {
      const told = error instanceof ServiceError ? error : new ServiceError("The page has a fault.", false);
      if (told !== error) reportError(error);
      return () => signal.aborted || this.#waiting || this.#on.error(told);
    }
  }
}

/**
 * @param {ServiceRequest} request
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function predict({ url, ...options }, signal) {
  const sent = performance.now();
  const { body, headers } = await fetchJson(url, { method: "POST", ...options }, signal);
  const roundTripMs = performance.now() - sent;
  const [decodeMs, inferMs, serviceMs] = ["decode", "infer", "total"].map((stage) => stageMs(headers, stage));
  return { ...body, decodeMs, inferMs, serviceMs, roundTripMs };
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @param {AbortSignal} [signal]
 * @returns {Promise<{body: any, headers: Headers}>}
 */
async function fetchJson(url, options, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response, body;
  try {
    response = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    body = await response.json();
  } catch {
    // No connection, no answer in time, or a page by something else than the service (a proxy's error page).
    throw new ServiceError("The service cannot be reached.", true, true);
  }
  if (!response.ok) throw new ServiceError(body.error ?? `The service answered ${response.status}.`, response.status >= 500);
  return { body, headers: response.headers };
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
