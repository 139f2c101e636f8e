// The feature maps of one layer as tiles, with the chosen one enlarged.

import { html } from "../base/markup.js";
import { paintTinted } from "../base/grid.js";

/** Number of maps that are shown at first. */
const N_FIRST = 16;

/** Tiles in a row; css/network.css has as many columns. */
const N_COLUMNS = 8;

/**
 * @typedef {{channel: number, levels: Uint8Array, top: number}} FeatureMap `top`: its largest level
 */

/** A list box of tiles, strongest first. Pointing or focus chooses one. */
export class MapPicker {
  /** The chosen map, enlarged. */
  enlarged = html("figure");
  /** The tiles, and the button that shows all. */
  tiles = html("div");

  #width;
  #n_maps;
  #large = html("canvas", { role: "img" });
  #caption = html("figcaption");
  #box = html("div.maps", {
    role: "listbox",
    "aria-orientation": "horizontal",
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#press(event),
  });
  #more = html("button.button.small", {
    type: "button",
    onclick: () => this.#unfold(this.#more.ariaExpanded !== "true"),
  });
  /** @type {HTMLElement[]} */
  #options;
  /** @type {FeatureMap[]} */
  #maps = [];
  #peak = 0;
  #chosen = 0;

  /**
   * @param {[number, number, number]} shape height, width and number of the maps
   * @param {string} label the list's name
   */
  constructor([, width, n_maps], label) {
    this.#width = width;
    this.#n_maps = n_maps;
    this.enlarged.append(html("div.tile", {}, this.#large), this.#caption);
    this.#options = Array.from({ length: n_maps }, (_, index) => this.#addOption(index));
    this.#box.ariaLabel = label;
    this.#box.append(...this.#options);
    this.tiles.append(this.#box, this.#more);
    this.#unfold(false);
  }

  /**
   * @param {Uint8Array} levels of all maps, one after the other; 255 stands for the peak
   * @param {number} peak
   */
  show(levels, peak) {
    const size = levels.length / this.#n_maps;
    const maps = Array.from({ length: this.#n_maps }, (_, channel) => {
      const own = levels.subarray(channel * size, (channel + 1) * size);
      return { channel, levels: own, top: Math.max(...own) };
    });
    this.#maps = maps.sort((a, b) => b.top - a.top);
    this.#peak = peak;
    this.#options.forEach((option, index) => {
      option.ariaLabel = this.#labelOf(index);
      if (!option.hidden) this.#paint(index);
    });
    this.#choose(this.#chosen);
  }

  /**
   * @param {number} index
   * @returns {HTMLElement}
   */
  #addOption(index) {
    const choose = () => this.#choose(index);
    return html("div", { role: "option", onpointerenter: choose, onpointerdown: choose, onfocus: choose }, html("canvas"));
  }

  /** @param {number} index by strength */
  #choose(index) {
    this.#chosen = index;
    this.#options.forEach((option, each) => {
      option.ariaSelected = String(each === index);
      // The Tab key stops once; the arrow keys move between the tiles.
      option.tabIndex = each === index ? 0 : -1;
    });
    if (this.#maps.length === 0) return;
    paintTinted(this.#large, this.#maps[index].levels, this.#width);
    this.#large.ariaLabel = this.#caption.textContent = this.#labelOf(index);
  }

  /**
   * @param {number} index
   * @returns {string}
   */
  #labelOf(index) {
    const { channel, top } = this.#maps[index];
    return `Map ${channel + 1}, up to ${((top / 255) * this.#peak).toFixed(2)}`;
  }

  /** @param {boolean} isAll */
  #unfold(isAll) {
    const n_shown = isAll ? this.#n_maps : Math.min(N_FIRST, this.#n_maps);
    this.#options.forEach((option, index) => {
      option.hidden = index >= n_shown;
      if (!option.hidden && this.#maps.length > 0) this.#paint(index);
    });
    this.#more.hidden = this.#n_maps <= N_FIRST;
    this.#more.ariaExpanded = String(isAll);
    this.#more.textContent = isAll ? `Show the strongest ${N_FIRST}` : `Show all ${this.#n_maps}`;
    if (this.#chosen >= n_shown) this.#choose(0);
  }

  /** @param {number} index */
  #paint(index) {
    paintTinted(/** @type {HTMLCanvasElement} */ (this.#options[index].firstChild), this.#maps[index].levels, this.#width);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const last = this.#options.findLastIndex((option) => !option.hidden);
    /** @type {Record<string, number>} */
    const goals = {
      ArrowLeft: this.#chosen - 1,
      ArrowRight: this.#chosen + 1,
      ArrowUp: this.#chosen - N_COLUMNS,
      ArrowDown: this.#chosen + N_COLUMNS,
      Home: 0,
      End: last,
    };
    const goal = goals[event.key];
    if (goal === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (goal >= 0 && goal <= last) this.#options[goal].focus();
  }
}
