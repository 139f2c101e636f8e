// The table of experiments, from the model's card.

import { html, missingNote } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { count, interval, percent } from "../base/figures.js";

/** @typedef {"ascending" | "descending"} Order */

/** @type {{key: keyof Experiment, title: string, text: (run: Experiment) => string}[]} */
const COLUMNS = [
  { key: "experiment", title: "Experiment", text: ({ experiment }) => experiment.replaceAll("_", " ") },
  { key: "learning_rate", title: "Learning rate", text: ({ learning_rate }) => String(learning_rate) },
  { key: "batch_size", title: "Batch", text: ({ batch_size }) => count(batch_size) },
  { key: "dropout", title: "Dropout", text: ({ dropout }) => String(dropout) },
  { key: "augmentation", title: "Augmen­tation", text: ({ augmentation }) => yesNo(augmentation) },
  { key: "batchnorm", title: "Batch norm.", text: ({ batchnorm }) => yesNo(batchnorm) },
  { key: "val_accuracy", title: "Validation", text: ({ val_accuracy }) => percent(val_accuracy) },
  { key: "test_accuracy", title: "MNIST test", text: ({ test_accuracy }) => percent(test_accuracy) },
  { key: "published", title: "Published", text: ({ published }) => (published === null ? "–" : percent(published)) },
  { key: "epochs", title: "Epochs", text: ({ epochs }) => count(epochs) },
  { key: "seconds", title: "Seconds", text: ({ seconds }) => count(Math.round(seconds)) },
];

/** @type {Experiment[]} */
let runs = [];
/** @type {{key: keyof Experiment, order: Order} | null} */
let sorting = null;

export const section = "experiments";
/** @type {(keyof Card)[]} */
export const needs = ["experiments"];

/** @param {Card} card */
export function showCard({ experiments }) {
  runs = experiments;
  if (runs.length === 0) {
    byId("experiment-table").replaceChildren(missingNote("of experiments"));
    return;
  }
  const heads = COLUMNS.map(({ key, title }) => {
    const button = html("button", { type: "button", "data-key": key }, title);
    button.addEventListener("click", () => sortBy(key));
    return html("th", { scope: "col" }, button);
  });
  const table = html("table.experiments", {}, html("thead", {}, html("tr", {}, ...heads)));
  byId("experiment-table").replaceChildren(table);
  showRuns();
}

/**
 * @param {Experiment[]} rows
 * @param {keyof Experiment} key
 * @param {Order} order
 * @returns {Experiment[]} in that order; rows without a value come last in both orders
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

/** @param {keyof Experiment} key */
function sortBy(key) {
  const isReversed = sorting?.key === key && sorting.order === "ascending";
  sorting = { key, order: isReversed ? "descending" : "ascending" };
  showRuns();
}

/** Show the rows in the chosen order. The heads stay, so the keyboard focus stays too. */
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
 * @returns {HTMLElement} a group of two rows: the figures, then the hypothesis and the finding
 */
function drawRun(run) {
  const [first, ...others] = COLUMNS.map(({ key, text }) => ({ key, text: text(run) }));
  const cells = others.map(({ key, text }) => {
    const cell = html("td", {}, text);
    if (key === "test_accuracy") {
      cell.append(html("small", {}, interval(run.test_accuracy_low, run.test_accuracy_high)));
    }
    return cell;
  });
  const story = html("div.story", {},
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
