// The confusion matrix as a heatmap, and the images behind its mistakes.

import { html, missingNote } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { className } from "../base/classes.js";
import { count, counted, percent } from "../base/figures.js";
import { paintGrey } from "../base/grid.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { rankConfusions } from "./limits.js";
import { say } from "../base/speech.js";

/** @typedef {{actual: number, predicted: number}} Cell */
/** @typedef {"mnist" | "strokes"} Test */

/**
 * The source of each test's mistakes in the card.
 *
 * @type {Record<Test, string>}
 */
const SOURCES = { mnist: "MNIST", strokes: "pen strokes" };

const TESTS = /** @type {Test[]} */ (Object.keys(SOURCES));

const STATES = { digit: "told as certain", unsure: "told as unsure", not_a_digit: "refused", blank: "taken for blank" };

/**
 * @param {number} n
 * @param {number} most the largest count outside the diagonal
 * @returns {number} intensity of a cell's colour, 0 to 1; logarithmic, so that a single mistake is visible
 */
export function heat(n, most) {
  return most > 0 ? Math.log1p(n) / Math.log1p(most) : 0;
}

/**
 * Return the cell that a key moves to. Left and right follow the reading order; up and down go to the nearest cell of
 * the next row that has one.
 *
 * @param {Cell[]} cells in reading order
 * @param {Cell} from one of them
 * @param {string} key
 * @returns {Cell | null}
 */
export function nextCell(cells, from, key) {
  const at = cells.findIndex(({ actual, predicted }) => actual === from.actual && predicted === from.predicted);
  if (key === "ArrowRight") return cells[at + 1] ?? null;
  if (key === "ArrowLeft") return cells[at - 1] ?? null;
  if (key === "Home") return cells[0];
  if (key === "End") return cells[cells.length - 1];
  const sign = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!sign) return null;
  const distance = (/** @type {Cell} */ { actual, predicted }) =>
    100 * sign * (actual - from.actual) + Math.abs(predicted - from.predicted);
  const [nearest] = cells
    .filter(({ actual }) => sign * (actual - from.actual) > 0)
    .sort((one, other) => distance(one) - distance(other));
  return nearest ?? null;
}

/** The matrix, the switch between the tests, and the images of the chosen cell. */
export class ConfusionMatrix {
  /** @type {CardEvaluation | null} */
  #evaluation = null;
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();
  /** @type {Cell[]} */
  #cells = [];

  constructor() {
    for (const name of TESTS) byId(`confusion-${name}`).addEventListener("click", () => this.#choose(name));
    byId("confusion").addEventListener("keydown", (event) => this.#move(event));
  }

  /** @param {CardEvaluation} evaluation */
  show(evaluation) {
    this.#evaluation = evaluation;
    byId("confusion-tests").hidden = !evaluation.confusion.strokes;
    this.#choose(TESTS[0]);
  }

  /** @param {Test} test */
  #choose(test) {
    const confusion = this.#evaluation?.confusion[test];
    if (!this.#evaluation || !confusion) return;
    for (const name of TESTS) byId(`confusion-${name}`).ariaPressed = String(name === test);
    const mistakes = this.#evaluation.mistakes.filter(({ source }) => source === SOURCES[test]);
    const ranked = rankConfusions(confusion);
    this.#buttons.clear();
    byId("confusion").replaceChildren(this.#draw(confusion, test, mistakes, ranked[0]?.n ?? 0));
    this.#cells = [...this.#buttons.keys()].map(fromKey);
    const worst = ranked.find((cell) => this.#buttons.has(toKey(cell)));
    if (worst) this.#open(worst, test, mistakes);
    else byId("confusion-images").replaceChildren(missingNote("the images behind these counts"));
  }

  /**
   * @param {number[][]} confusion
   * @param {Test} test
   * @param {Mistake[]} mistakes
   * @param {number} most
   * @returns {HTMLTableElement}
   */
  #draw(confusion, test, mistakes, most) {
    const digits = confusion.map((_, digit) => html("th", { scope: "col" }, className(digit)));
    const rows = confusion.map((row, actual) => {
      const cells = row.map((n, predicted) => this.#drawCell({ actual, predicted }, n, test, mistakes, most));
      return html("tr", {}, html("th", { scope: "row" }, className(actual)), ...cells);
    });
    const corner = html("td.corner", { "aria-hidden": "true" });
    return html("table.matrix", {},
      html("caption", {}, "Rows: the digit written. Columns: the most likely digit, also where it was refused or unsure. Along the diagonal they agree."),
      html("thead", {}, html("tr", {}, corner, ...digits)),
      html("tbody", {}, ...rows),
    );
  }

  /**
   * @param {Cell} cell
   * @param {number} n
   * @param {Test} test
   * @param {Mistake[]} mistakes
   * @param {number} most
   * @returns {HTMLTableCellElement}
   */
  #drawCell(cell, n, test, mistakes, most) {
    if (cell.actual === cell.predicted) return html("td.right", {}, String(n));
    if (n === 0) return html("td", {}, html("span.unseen", {}, "0"));
    const td = html("td.wrong", {});
    td.style.setProperty("--heat", heat(n, most).toFixed(3));
    if (!mistakes.some((mistake) => isOf(mistake, cell))) {
      td.append(count(n));
      return td;
    }
    const label = `${nameOf(cell)}: ${counted(n, "time")}, show the images`;
    const button = html("button", { type: "button", "aria-label": label, "aria-pressed": "false", tabindex: -1 }, count(n));
    button.addEventListener("click", () => {
      this.#open(cell, test, mistakes);
      say(byId("confusion-title").textContent ?? "");
    });
    this.#buttons.set(toKey(cell), button);
    td.append(button);
    return td;
  }

  /**
   * @param {Cell} cell
   * @param {Test} test
   * @param {Mistake[]} mistakes
   */
  #open(cell, test, mistakes) {
    for (const [key, button] of this.#buttons) {
      const isOpen = key === toKey(cell);
      button.ariaPressed = String(isOpen);
      button.tabIndex = isOpen ? 0 : -1;
    }
    const shown = mistakes.filter((mistake) => isOf(mistake, cell));
    const title = `${nameOf(cell)} on ${SOURCES[test]}: ${counted(shown.length, "image")}`;
    const images = html("ul.misread", {}, ...shown.map(drawMistake));
    byId("confusion-images").replaceChildren(html("h4", { id: "confusion-title" }, title), images);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const from = [...this.#buttons].find(([, button]) => button === document.activeElement);
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = nextCell(this.#cells, fromKey(from[0]), event.key);
    if (!to) return;
    event.preventDefault();
    for (const button of this.#buttons.values()) button.tabIndex = -1;
    const button = /** @type {HTMLButtonElement} */ (this.#buttons.get(toKey(to)));
    button.tabIndex = 0;
    button.focus();
  }
}

/**
 * @param {Cell} cell
 * @returns {string}
 */
function nameOf({ actual, predicted }) {
  return `${className(actual)} taken for ${className(predicted)}`;
}

/**
 * @param {Cell} cell
 * @returns {string}
 */
function toKey({ actual, predicted }) {
  return `${actual} ${predicted}`;
}

/**
 * @param {string} key
 * @returns {Cell}
 */
function fromKey(key) {
  const [actual, predicted] = key.split(" ").map(Number);
  return { actual, predicted };
}

/**
 * @param {Mistake} mistake
 * @param {Cell} cell
 * @returns {boolean}
 */
function isOf(mistake, cell) {
  return mistake.actual === cell.actual && mistake.predicted === cell.predicted;
}

/**
 * @param {Mistake} mistake
 * @returns {HTMLLIElement}
 */
function drawMistake({ actual, predicted, confidence, state, pixels, image }) {
  const label = `A ${className(actual)} that was read as ${className(predicted)}, image ${image}`;
  const canvas = html("canvas", { role: "img", "aria-label": label });
  paintGrey(canvas, bytesOf(pixels), GRID);
  return html("li", {}, canvas, html("span", {}, percent(confidence, 1)), html("span.state", {}, STATES[state]));
}
