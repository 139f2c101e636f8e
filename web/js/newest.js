// Asks the network alone for what the explaining parts of the page need, and never for more than the newest ink.

import { askNetwork } from "./predict.js";

/**
 * @template T
 * @typedef {{grids: Uint8Array<ArrayBuffer>, layers?: boolean, about: T}} Question `about`: handed back with its answer
 */

/**
 * One request at a time: the newest question waits while one is under way, and replaces an older one that waits.
 *
 * @template T
 */
export class NewestAsker {
  /** @type {{answer: (answer: NetworkAnswer, about: T) => void, error: (error: Error) => void}} */
  #on;
  /** @type {Question<T> | null} */
  #waiting = null;
  /** @type {AbortController | null} */
  #abort = null;

  /** @param {{answer: (answer: NetworkAnswer, about: T) => void, error: (error: Error) => void}} on */
  constructor(on) {
    this.#on = on;
  }

  /** @param {Question<T>} question sent as soon as no other is under way */
  ask(question) {
    this.#waiting = question;
    if (!this.#abort) this.#run();
  }

  /** Forgets what waits, and drops what is under way: its answer will not be told. */
  cancel() {
    this.#waiting = null;
    this.#abort?.abort();
  }

  async #run() {
    while (this.#waiting) {
      const question = this.#waiting;
      this.#waiting = null;
      this.#abort = new AbortController();
      const tell = await this.#outcome(question, this.#abort.signal);
      try {
        tell();
      } catch (error) {
        reportError(error); // in the console; what waits is asked all the same
      }
    }
    this.#abort = null;
  }

  /**
   * @param {Question<T>} question
   * @param {AbortSignal} signal
   * @returns {Promise<() => void>} what tells it; an error that a newer question overtakes is not told
   */
  async #outcome({ grids, layers, about }, signal) {
    try {
      const answer = /** @type {NetworkAnswer} */ (await askNetwork(grids, { layers }, signal));
      return () => signal.aborted || this.#on.answer(answer, about);
    } catch (error) {
      return () => signal.aborted || this.#waiting || this.#on.error(/** @type {Error} */ (error));
    }
  }
}
