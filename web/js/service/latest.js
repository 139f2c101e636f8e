// Sends one request at a time, and always the latest.

import { ServiceError } from "./predict.js";

/** Automatic repeats of a request in a row; the pause doubles each time. */
const MAX_REPEATS = 5;

/** The longest pause before a repeat. */
export const MAX_PAUSE_MS = 30_000;

/**
 * Send one request at a time. While one runs, only the latest of the others waits, so the last ink is always answered.
 * If a response has Retry-After, the latest request is sent again after that time.
 *
 * @template Ask, Result
 */
export class LatestRequest {
  #fetch;
  #on;
  /** @type {Ask | null} */
  #waiting = null;
  /** @type {Ask | null} */
  #last = null;
  /** @type {AbortController | null} */
  #abort = null;
  #nRepeats = 0;
  #isPaused = false;

  /**
   * @param {(ask: Ask, signal: AbortSignal) => Promise<Result>} fetch
   * @param {object} on
   * @param {(result: Result, ask: Ask, isNewest: boolean) => void} on.answer
   * @param {(error: ServiceError, ask: Ask, isAskedAgain: boolean) => void} on.error does not run if a newer ask waits;
   *   `isAskedAgain`: the request is repeated automatically
   */
  constructor(fetch, on) {
    this.#fetch = fetch;
    this.#on = on;
  }

  /** @returns {boolean} true while a request runs or waits */
  get isBusy() {
    return this.#abort !== null;
  }

  /** @param {Ask} ask sent as soon as no other runs */
  ask(ask) {
    this.#waiting = this.#last = ask;
    if (!this.#abort) this.#run();
  }

  /** Send the last ask again. */
  askAgain() {
    if (this.#last) this.ask(this.#last);
  }

  /** Send the waiting ask now, and forget the running one: on a slow network, two round trips would be noticed. */
  hurry() {
    if (this.#waiting && !this.#isPaused) this.#run();
  }

  /** Drop the waiting ask, and abort the running one. */
  cancel() {
    this.#waiting = this.#last = null;
    this.#abort?.abort();
  }

  async #run() {
    while (this.#waiting) {
      const ask = this.#waiting;
      this.#waiting = null;
      const { signal } = (this.#abort = new AbortController());
      const { report, pauseMs } = await this.#outcome(ask, signal);
      if (signal !== this.#abort?.signal) return; // forgotten
      try {
        if (!signal.aborted) report();
      } catch (error) {
        reportError(error); // in the console; the waiting ask is still sent
      }
      if (pauseMs === 0 || signal.aborted) continue;
      this.#waiting ??= ask;
      this.#isPaused = true;
      await pause(pauseMs, signal);
      this.#isPaused = false;
    }
    this.#abort = null;
  }

  /**
   * @param {Ask} ask
   * @param {AbortSignal} signal
   * @returns {Promise<{report: () => void, pauseMs: number}>} runs the callback; pause before the next request
   */
  async #outcome(ask, signal) {
    try {
      const result = await this.#fetch(ask, signal);
      this.#nRepeats = 0;
      return { report: () => this.#on.answer(result, ask, this.#waiting === null), pauseMs: 0 };
    } catch (error) {
      const problem = error instanceof ServiceError ? error : new ServiceError("The page has a fault.");
      if (problem !== error) reportError(error);
      const pauseMs = this.#pauseAfter(problem);
      return { report: () => this.#waiting || this.#on.error(problem, ask, pauseMs > 0), pauseMs };
    }
  }

  /**
   * @param {ServiceError} error
   * @returns {number} ms; 0 if the request is not repeated
   */
  #pauseAfter({ retryAfterMs }) {
    const isRepeated = retryAfterMs !== undefined && this.#nRepeats < MAX_REPEATS;
    const pauseMs = isRepeated ? Math.min(retryAfterMs * 2 ** this.#nRepeats, MAX_PAUSE_MS) : 0;
    this.#nRepeats = isRepeated ? this.#nRepeats + 1 : 0;
    return pauseMs;
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal ends it
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
