// Asks the service for what the page shows, and never for more than the newest ink.

import { ServiceError } from "./predict.js";

/** How often in a row the same is asked again by itself, each time after twice as long: a busy service has other visitors too. */
const MAX_REPEATS = 5;

/** The longest that is waited until it is asked again. */
export const MAX_PAUSE_MS = 30_000;

/**
 * One request at a time: the newest ask waits while one is under way, and replaces an older one that waits, so that the
 * page is as live as the service is fast and the last ink is always answered. A service that says when to come back is
 * asked again then, for the newest ink.
 *
 * @template Ask, Result
 */
export class Newest {
  #fetch;
  #on;
  /** @type {Ask | null} */
  #waiting = null;
  /** @type {Ask | null} */
  #last = null;
  /** @type {AbortController | null} */
  #abort = null;
  #nRepeats = 0;

  /**
   * @param {(ask: Ask, signal: AbortSignal) => Promise<Result>} fetch
   * @param {object} on
   * @param {(result: Result, ask: Ask, isNewest: boolean) => void} on.answer
   * @param {(error: ServiceError, ask: Ask, isAskedAgain: boolean) => void} on.error an error that a newer ask overtakes
   *   is not told; `isAskedAgain`: by itself
   */
  constructor(fetch, on) {
    this.#fetch = fetch;
    this.#on = on;
  }

  /** @returns {boolean} true while an answer is under way or an ask waits */
  get isBusy() {
    return this.#abort !== null;
  }

  /** @param {Ask} ask sent as soon as no other is under way */
  ask(ask) {
    this.#waiting = this.#last = ask;
    if (!this.#abort) this.#run();
  }

  /** Sends the last ask once more. */
  askAgain() {
    if (this.#last) this.ask(this.#last);
  }

  /** Forgets what waits, and drops what is under way: its answer will not be told. */
  cancel() {
    this.#waiting = this.#last = null;
    this.#abort?.abort();
  }

  async #run() {
    while (this.#waiting) {
      const ask = this.#waiting;
      this.#waiting = null;
      const { signal } = (this.#abort = new AbortController());
      const { tell, pauseMs } = await this.#outcome(ask, signal);
      try {
        if (!signal.aborted) tell();
      } catch (error) {
        reportError(error); // in the console; what waits is asked all the same
      }
      if (pauseMs === 0 || signal.aborted) continue;
      this.#waiting ??= ask;
      await pause(pauseMs, signal);
    }
    this.#abort = null;
  }

  /**
   * @param {Ask} ask
   * @param {AbortSignal} signal
   * @returns {Promise<{tell: () => void, pauseMs: number}>} what tells it, and how long nothing is asked after it
   */
  async #outcome(ask, signal) {
    try {
      const result = await this.#fetch(ask, signal);
      this.#nRepeats = 0;
      return { tell: () => this.#on.answer(result, ask, this.#waiting === null), pauseMs: 0 };
    } catch (error) {
      const told = error instanceof ServiceError ? error : new ServiceError("The page has a fault.");
      if (told !== error) reportError(error);
      const pauseMs = this.#pauseAfter(told);
      return { tell: () => this.#waiting || this.#on.error(told, ask, pauseMs > 0), pauseMs };
    }
  }

  /**
   * @param {ServiceError} error
   * @returns {number} ms; 0 where it is not asked again
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
