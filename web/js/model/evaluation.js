// What the model was measured to do, from its card.

import { foldedTable, html, untold } from "../base/markup.js";
import { drawChart } from "../base/chart.js";
import { ConfusionMatrix } from "./confusion.js";
import { byId } from "../base/dom.js";
import { NONE, count, counted, interval, percent, words } from "../base/figures.js";
import { tellLimits } from "./limits.js";

/** What the card calls the parts of its data, where the bare name would say too little. */
const PARTS = { mnist: "MNIST", pendigits: "pen strokes", skeletons: "MNIST redrawn", nondigits: "that are no digit" };

/** @type {ConfusionMatrix | null} */
let matrix = null;

/**
 * Shows what the model's card tells.
 *
 * @param {Card} card
 */
export function showCard(card) {
  const { evaluation, metrics } = card;
  byId("stats").replaceChildren(...listFigures(card).map(drawTile));
  matrix ??= new ConfusionMatrix();
  matrix.show(evaluation);
  byId("reliability").replaceChildren(...drawReliability(evaluation?.reliability ?? []));
  byId("refusal").replaceChildren(...drawRefusal(evaluation?.refusal?.families ?? {}));
  const limits = tellLimits(evaluation, metrics);
  byId("limits").textContent = limits.join(" ") || "This model file does not tell enough to say where it fails.";
}

/**
 * @param {{data?: Partial<CardData>, metrics?: Record<string, number>}} card
 * @returns {{term: string, figure: string, note: string}[]} the headline figures
 */
export function listFigures({ data = {}, metrics = {} }) {
  const { test_accuracy_low: low, test_accuracy_high: high, test_errors: errors } = metrics;
  const strokes = [metrics.strokes_accuracy_low, metrics.strokes_accuracy_high];
  return [
    tile("Training images", data.train, count, tellParts(data.parts?.train)),
    tile("Validation images", data.validation, count, tellParts(data.parts?.validation)),
    tile("MNIST test images", data.test, count, [
      "of the official test set",
      data.test_drawings !== undefined && `${count(data.test_drawings)} pen strokes beside them, of writers who appear nowhere else`,
    ]),
    tile("Accuracy on MNIST test", metrics.test_accuracy, percent, [
      low !== undefined && high !== undefined && `95\u00a0% interval ${interval(low, high)}`,
      errors !== undefined && `${counted(errors, "error")}`,
    ]),
    tile("Accuracy on pen strokes", metrics.strokes_accuracy, percent, [
      strokes[0] !== undefined && strokes[1] !== undefined && `95\u00a0% interval ${interval(strokes[0], strokes[1])}`,
      metrics.strokes_worst_accuracy !== undefined && `${percent(metrics.strokes_worst_accuracy)} in the worst way of drawing them`,
    ]),
    tile("Loss on MNIST test", metrics.test_loss, (loss) => loss.toFixed(4), "cross-entropy, nats a digit"),
    tile("Calibration error", metrics.test_ece, percent, [
      "expected, on MNIST test",
      metrics.strokes_ece !== undefined && `${percent(metrics.strokes_ece)} on pen strokes`,
    ]),
    tile("Letters refused", metrics.refused_letters, percent, [
      "of scripts that training never showed",
      metrics.test_refused !== undefined && `in turn, ${percent(metrics.test_refused)} of MNIST’s digits`,
    ]),
  ];
}

/**
 * @param {string} term
 * @param {number | undefined} value
 * @param {(value: number) => string} tell
 * @param {string | (string | false)[]} notes
 * @returns {{term: string, figure: string, note: string}}
 */
function tile(term, value, tell, notes) {
  if (value === undefined) return { term, figure: NONE, note: "This model file does not tell." };
  return { term, figure: tell(value), note: [notes].flat().filter(Boolean).join(" · ") };
}

/**
 * @param {Record<string, number>} [parts]
 * @returns {string}
 */
function tellParts(parts = {}) {
  const names = /** @type {Record<string, string>} */ (PARTS);
  return Object.entries(parts)
    .map(([name, n]) => `${count(n)} ${names[name] ?? words(name)}`)
    .join(" · ");
}

/**
 * @param {{term: string, figure: string, note: string}} tile
 * @returns {HTMLElement}
 */
function drawTile({ term, figure, note }) {
  return html(
    "div",
    { class: "stat" },
    html("dt", {}, term),
    html("dd", { class: "figure", "data-count": "" }, figure),
    html("dd", { class: "note" }, note),
  );
}

/**
 * @param {ReliabilityBin[]} bins
 * @returns {Element[]}
 */
function drawReliability(bins) {
  if (bins.length === 0) return [untold("how often it is right at each confidence")];
  const tests = [...new Set(bins.map(({ test }) => test))];
  const low = Math.floor(10 * Math.min(...bins.map((bin) => bin.low))) / 10;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value, text: `${100 * value}\u00a0%` }));
  const chart = drawChart({
    label: `Accuracy by confidence on ${tests.join(" and ")}; the figures are in the table below.`,
    x: { label: "confidence told", low, high: 1, ticks: ticks.filter(({ value }) => value >= low) },
    y: { label: "digits read right", low: 0, high: 1, ticks },
    series: tests.map((test) => ({
      name: test,
      isDots: true,
      points: bins
        .filter((bin) => bin.test === test)
        .map(drawnBin),
    })),
    guide: { x1: low, y1: low, x2: 1, y2: 1 },
  });
  const keys = tests.map((test) => html("span", { class: `key key-${test.replaceAll(" ", "-")}` }, test));
  const rows = bins.map((bin) => [
    `${bin.test}, ${percent(bin.low, 0)} to ${percent(bin.high, 0)}`,
    count(bin.n),
    percent(bin.confidence, 1),
    percent(bin.accuracy, 1),
    interval(bin.accuracy_low, bin.accuracy_high, 1),
  ]);
  return [
    html("p", { class: "keys" }, ...keys, html("span", { class: "key key-guide" }, "as sure as it is right")),
    chart,
    foldedTable("The diagram’s figures", ["confidence", "digits", "mean", "right", "95 % interval"], rows),
  ];
}

/**
 * @param {ReliabilityBin} bin
 * @returns {import("../base/chart.js").Point} the larger, the more digits are in it
 */
function drawnBin({ confidence, accuracy, accuracy_low, accuracy_high, n }) {
  return { x: confidence, y: accuracy, low: accuracy_low, high: accuracy_high, radius: 2.5 + Math.log10(Math.max(n, 1)) };
}

/**
 * @param {Record<string, RefusalFamily>} families
 * @returns {HTMLElement[]}
 */
function drawRefusal(families) {
  const named = Object.entries(families).map(([name, family]) => ({ ...family, name: words(name) }));
  named.sort((one, other) => one.refused - other.refused);
  if (named.length === 0) return [untold("what it refuses")];
  const heads = ["kind", "refused", "95 % interval", "taken for a digit"];
  const trained = named.filter(({ is_held_out }) => !is_held_out);
  return [
    html("ul", { class: "refused" }, ...named.filter(({ is_held_out }) => is_held_out).map(drawFamily)),
    foldedTable(
      "Kinds that training did show, in other examples",
      heads,
      trained.map(({ name, refused, refused_low, refused_high, digit }) => [
        name,
        percent(refused, 1),
        interval(refused_low, refused_high, 1),
        percent(digit, 1),
      ]),
    ),
  ];
}

/**
 * @param {RefusalFamily & {name: string}} family
 * @returns {HTMLLIElement}
 */
function drawFamily({ name, refused, refused_low, refused_high }) {
  const fill = html("span", { class: "fill" });
  fill.style.width = `${100 * refused}%`;
  return html(
    "li",
    {},
    html("span", { class: "name" }, name),
    html("span", { class: "track", "aria-hidden": "true" }, fill),
    html("span", { class: "share" }, percent(refused, 1)),
    html("span", { class: "between" }, interval(refused_low, refused_high, 1)),
  );
}
