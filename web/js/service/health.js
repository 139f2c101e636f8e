// Monitors whether the service can be reached, and which model it has.

import { MAX_PAUSE_MS } from "./latest.js";
import { ServiceError, fetchCard } from "./predict.js";

/** Pause after the first failed attempt; it doubles after each further one. */
const RETRY_MS = 3000;

/** Pause after a successful attempt, while the page is visible. */
const CHECK_MS = 60_000;

/** Requests the model's card regularly, and repeats failed attempts. */
export class HealthMonitor {
  #on;
  #isDown = false;
  /** Failed attempts in a row. */
  #nFailed = 0;
  /** @type {Promise<void> | null} */
  #check = null;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {object} on
   * @param {(card: Card) => void} on.card
   * @param {(error: ServiceError) => void} on.down runs after every failed attempt
   * @param {() => void} on.back runs after the first card that follows a failed attempt
   */
  constructor(on) {
    this.#on = on;
    for (const change of ["online", "offline"]) window.addEventListener(change, () => this.check());
    const checkIfVisible = () => document.hidden || this.check();
    document.addEventListener("visibilitychange", checkIfVisible);
    setInterval(checkIfVisible, CHECK_MS);
  }

  /** @returns {Promise<void>} resolves after the callbacks; at most one attempt runs at a time */
  check() {
    this.#check ??= this.#attempt().finally(() => (this.#check = null));
    return this.#check;
  }

  /**
   * Report that a request to the service failed, and check until the service is back.
   *
   * @param {ServiceError} error
   */
  lost(error) {
    this.#isDown = true;
    this.#on.down(error);
    // Further failures do not delay the next check.
    this.#timer ??= setTimeout(() => this.check(), Math.min(RETRY_MS * 2 ** this.#nFailed, MAX_PAUSE_MS));
  }

  async #attempt() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const card = await fetchCard();
      const wasDown = this.#isDown;
      this.#isDown = false;
      this.#nFailed = 0;
      this.#on.card(card);
      if (wasDown) this.#on.back();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.lost(error);
      this.#nFailed += 1;
    }
  }
}
