// The table of experiments, from the model's card.

import { html, untold } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { NONE, count, interval, percent } from "../base/figures.js";

/** @typedef {"ascending" | "descending"} Order */

/** @type {{key: keyof Experiment, title: string, tell: (run: Experiment) => string}[]} */
const COLUMNS = [
  { key: "experiment", title: "Experiment", tell: ({ experiment }) => experiment.replaceAll("_", " ") },
  { key: "learning_rate", title: "Learning rate", tell: ({ learning_rate }) => String(learning_rate) },
  { key: "batch_size", title: "Batch", tell: ({ batch_size }) => count(batch_size) },
  { key: "dropout", title: "Dropout", tell: ({ dropout }) => String(dropout) },
  { key: "augmentation", title: "Augmen­tation", tell: ({ augmentation }) => yesNo(augmentation) },
  { key: "batchnorm", title: "Batch norm.", tell: ({ batchnorm }) => yesNo(batchnorm) },
  { key: "val_accuracy", title: "Validation", tell: ({ val_accuracy }) => percent(val_accuracy) },
  { key: "test_accuracy", title: "MNIST test", tell: ({ test_accuracy }) => percent(test_accuracy) },
  { key: "published", title: "Published", tell: ({ published }) => (published === null ? NONE : percent(published)) },
  { key: "epochs", title: "Epochs", tell: ({ epochs }) => count(epochs) },
  { key: "seconds", title: "Seconds", tell: ({ seconds }) => count(Math.round(seconds)) },
];

/** @type {Experiment[]} */
let runs = [];
/** @type {{key: keyof Experiment, order: Order} | null} */
let sorting = null;

/**
 * Shows what the model's card tells.
 *
 * @param {Card} card
 */
export function showCard({ experiments }) {
  runs = experiments ?? [];
  if (runs.length === 0) {
    byId("experiment-table").replaceChildren(untold("of experiments"));
    return;
  }
  const heads = COLUMNS.map(({ key, title }) => {
    const button = html("button", { type: "button", "data-key": key }, title);
    button.addEventListener("click", () => sortBy(key));
    return html("th", { scope: "col" }, button);
  });
  const table = html("table", { class: "experiments" }, html("thead", {}, html("tr", {}, ...heads)));
  byId("experiment-table").replaceChildren(table);
  showRuns();
}

/**
 * @param {Experiment[]} rows
 * @param {keyof Experiment} key
 * @param {Order} order
 * @returns {Experiment[]} in that order; what has no value comes last in either
 */
export function sortRuns(rows, key, order) {
  const sign = order === "ascending" ? 1 : -1;
  return rows.toSorted((one, other) => {
    const [a, b] = [one[key], other[key]];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "string" && typeof b === "string") return sign * a.localeCompare(b, "en");
    return sign * (Number(a) - Number(b));
  });
}

/**
 * @param {keyof Experiment} key
 */
function sortBy(key) {
  const isReversed = sorting?.key === key && sorting.order === "ascending";
  sorting = { key, order: isReversed ? "descending" : "ascending" };
  showRuns();
}

/** The rows in the present order; the heads stay, and with them the keyboard's focus. */
function showRuns() {
  const table = /** @type {HTMLTableElement} */ (byId("experiment-table").querySelector("table"));
  for (const button of table.querySelectorAll("button")) {
    const head = /** @type {HTMLElement} */ (button.parentElement);
    if (sorting && button.dataset.key === sorting.key) head.ariaSort = sorting.order;
    else head.removeAttribute("aria-sort");
  }
  for (const body of [...table.tBodies]) body.remove();
  table.append(...(sorting ? sortRuns(runs, sorting.key, sorting.order) : runs).map(drawRun));
}

/**
 * @param {Experiment} run
 * @returns {HTMLElement} a group of two rows: the figures, and what was expected and what came out
 */
function drawRun(run) {
  const [first, ...others] = COLUMNS.map(({ key, tell }) => ({ key, text: tell(run) }));
  const cells = others.map(({ key, text }) => {
    const cell = html("td", {}, text);
    if (key === "test_accuracy") {
      cell.append(html("small", {}, interval(run.test_accuracy_low, run.test_accuracy_high)));
    }
    return cell;
  });
  const story = html(
    "div",
    { class: "story" },
    html("p", {}, html("strong", {}, "Expected "), run.hypothesis),
    html("p", {}, html("strong", {}, "Showed "), run.finding),
  );
  return html(
    "tbody",
    {},
    html("tr", {}, html("th", { scope: "rowgroup" }, first.text), ...cells),
    html("tr", {}, html("td", { colspan: COLUMNS.length }, story)),
  );
}

/**
 * @param {boolean} is
 * @returns {string}
 */
function yesNo(is) {
  return is ? "yes" : "no";
}
