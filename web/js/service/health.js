// Whether the service can be reached, and which model it has.

import { MAX_PAUSE_MS } from "./latest.js";
import { ServiceError, fetchCard } from "./predict.js";

/** From a failed attempt to the next; twice as long after each that follows. */
const RETRY_MS = 3000;

/** From a good one to the next, while the page is seen: it should not say for long that a service is there which is not. */
const LOOK_MS = 60_000;

/** Asks for the model's card, and again and again while that fails. */
export class Watch {
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
    const look = () => document.hidden || this.check();
    document.addEventListener("visibilitychange", look);
    setInterval(look, LOOK_MS);
  }

  /** @returns {Promise<void>} when the card has been told or the attempt has failed; at most one is under way */
  check() {
    this.#check ??= this.#attempt().finally(() => (this.#check = null));
    return this.#check;
  }

  /**
   * The service did not answer, whatever it was asked for: tells so, and looks for it until it is back.
   *
   * @param {ServiceError} error
   */
  lost(error) {
    this.#isDown = true;
    this.#on.down(error);
    // Who draws on meanwhile fails again and again, which puts nothing off.
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
