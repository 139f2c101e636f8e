// A list of bars, one for each class.

import { className } from "./classes.js";
import { chance } from "./figures.js";
import { html, setShare, track } from "./markup.js";

/** Bars whose rows stay while the names stay, so that they grow and shrink. */
export class Bars {
  #list;
  #names = "";
  /** @type {{row: HTMLElement, fill: HTMLElement, share: HTMLElement}[]} */
  #bars = [];

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /**
   * @param {number[]} values 0 to 1
   * @param {(number | null)[]} [marked] the bars that count, which have their figures
   */
  show(values, marked = []) {
    this.#name(values.map((_, bar) => className(bar)));
    this.#bars.forEach(({ row, fill, share }, bar) => {
      const isMarked = marked.includes(bar);
      row.classList.toggle("best", isMarked);
      setShare(fill, values[bar]);
      share.textContent = isMarked ? chance(values[bar]) : "";
    });
  }

  /** @param {string[]} names */
  #name(names) {
    if (names.join() === this.#names) return;
    this.#names = names.join();
    this.#bars = names.map((name) => {
      const bar = track(0);
      const share = html("span.share");
      const row = html("li", {}, html("span.name", {}, name), bar, share);
      return { row, fill: /** @type {HTMLElement} */ (bar.firstChild), share };
    });
    this.#list.replaceChildren(...this.#bars.map(({ row }) => row));
  }
}
