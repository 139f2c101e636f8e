// Talks to the service: the model's card, and answers to ink and images.

/** Longer than any honest answer takes: a service that hangs must not silence the page for good. */
const TIMEOUT_MS = 10_000;

/** What went wrong, in a sentence to show. `canRetry` tells whether the same request may work later. */
export class ServiceError extends Error {
  constructor(message, canRetry) {
    super(message);
    this.canRetry = canRetry;
  }
}

/** @returns {Promise<object>} the model's card, as the service reads it from the model file */
export async function fetchCard() {
  return (await fetchJson("api/model", { cache: "no-store" })).body;
}

/**
 * Asks the network alone, without the preprocessing before it.
 *
 * @param {Uint8Array} grids n x 28 x 28 levels (255 = ink), as `normalized` of an answer has them
 * @param {{layers?: boolean}} options `layers`: the feature maps of the first grid are told as well
 * @param {AbortSignal} [signal]
 * @returns {Promise<{answers: object[], layers?: object[]}>}
 */
export async function askNetwork(grids, { layers = false } = {}, signal) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await fetchJson(`api/network${layers ? "?layers=true" : ""}`, { method: "POST", body: grids, headers }, signal)).body;
}

/** @returns {object} the request that has `side` x `side` grey bytes read */
export function inkRequest(grey, side) {
  const headers = { "Content-Type": "application/octet-stream" };
  return { url: `api/predict?width=${side}&height=${side}`, body: grey, headers };
}

/** @returns {object} the request that has an image file read, as it is and under its own Content-Type */
export function fileRequest(file) {
  return { url: "api/predict", body: file };
}

/**
 * Asks for answers, one request at a time: the newest ask waits while a request is under way and replaces an older one
 * that waits, so that the page is as live as the service is fast and the last ink is always answered.
 *
 * An ask is `{request: () => object}` with what the caller likes to add; `request` runs when it is sent, so that it
 * takes the newest ink.
 */
export class Predictor {
  #on;
  #waiting = null;
  #last = null;
  #abort = null;

  /**
   * @param {{answer: (answer: object, ask: object, isNewest: boolean) => void, error: (error: ServiceError) => void}} on
   *   an error that a newer ask overtakes is not told
   */
  constructor(on) {
    this.#on = on;
  }

  /** Sends the ask as soon as no other request is under way. */
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
    try {
      while (this.#waiting) await this.#answerNewest();
    } finally {
      this.#abort = null;
    }
  }

  async #answerNewest() {
    const ask = this.#waiting;
    this.#waiting = null;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    let answer;
    try {
      answer = await predict(ask.request(), signal);
    } catch (error) {
      if (!signal.aborted && !this.#waiting) this.#on.error(error);
      return;
    }
    if (!signal.aborted) this.#on.answer(answer, ask, this.#waiting === null);
  }
}

async function predict({ url, ...options }, signal) {
  const sent = performance.now();
  const { body, headers } = await fetchJson(url, { method: "POST", ...options }, signal);
  return { ...body, modelMs: inferMs(headers), roundTripMs: performance.now() - sent };
}

async function fetchJson(url, options, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response, body;
  try {
    response = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    body = await response.json();
  } catch {
    // No connection, no answer in time, or a page by something else than the service (a proxy's error page).
    throw new ServiceError("The service cannot be reached.", true);
  }
  if (!response.ok) throw new ServiceError(body.error ?? `The service answered ${response.status}.`, response.status >= 500);
  return { body, headers: response.headers };
}

/** @returns {number | null} milliseconds in the model, from a header like `decode;dur=0.12, infer;dur=0.31` */
function inferMs(headers) {
  const match = /\binfer;dur=([\d.]+)/.exec(headers.get("Server-Timing") ?? "");
  return match && Number(match[1]);
}
