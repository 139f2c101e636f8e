// The measured results of the model, from its card.

import { foldedTable, html, track } from "../base/markup.js";
import { drawChart } from "../base/chart.js";
import { ConfusionMatrix } from "./confusion.js";
import { byId } from "../base/dom.js";
import { count, counted, interval, percent, words } from "../base/figures.js";
import { limitPoints } from "./limits.js";

/** Names of the parts of the data, where the card's own name is too short. */
const PARTS = { mnist: "MNIST", pendigits: "pen strokes", skeletons: "MNIST redrawn", nondigits: "that are no digit" };

/** Figures that are shown at first. */
const N_FIRST = 3;

/** @type {ConfusionMatrix | null} */
let matrix = null;

export const section = "evaluation";
export const isLate = true;
/** @type {(keyof Card)[]} */
export const needs = ["data", "evaluation", "metrics"];

/** @param {Card} card */
export function showCard(card) {
  const { evaluation, metrics } = card;
  const tiles = listFigures(card).map(({ term, figure, note }) =>
    html("div.stat", {}, html("dt", {}, term), html("dd.figure", {}, figure), html("dd.note", {}, note)),
  );
  byId("stats").replaceChildren(...tiles.slice(0, N_FIRST));
  byId("more-stats").replaceChildren(...tiles.slice(N_FIRST));
  matrix ??= new ConfusionMatrix();
  matrix.show(evaluation);
  byId("reliability").replaceChildren(...drawReliability(evaluation.reliability));
  byId("refusal").replaceChildren(...drawRefusal(evaluation.refusal.families));
  byId("limits").replaceChildren(...limitPoints(evaluation, metrics).map((point) => html("li", {}, point)));
}

/**
 * Return the headline figures. Those of pen strokes are left out for a model that was not tested on any.
 *
 * @param {Pick<Card, "data" | "metrics">} card
 * @returns {{term: string, figure: string, note: string}[]}
 */
export function listFigures({ data, metrics }) {
  const mnist = interval(metrics.test_accuracy_low, metrics.test_accuracy_high);
  /** @type {<T>(...shown: T[]) => T[]} */
  const onStrokes = (...shown) => (metrics.strokes_accuracy === undefined ? [] : shown);
  return [
    tile("Accuracy on MNIST test", percent(metrics.test_accuracy), `95\u00a0% interval ${mnist}`, counted(metrics.test_errors, "error")),
    ...onStrokes(tile("Accuracy on pen strokes", percent(metrics.strokes_accuracy), "of writers who appear nowhere else", `${percent(metrics.strokes_worst_accuracy)} in the worst of eight ways to draw them`)),
    tile("Letters refused", percent(metrics.refused_letters), "of scripts that training never showed", `in turn, ${percent(metrics.test_refused)} of MNIST’s digits`),
    tile("Training images", count(data.train), partsText(data.parts.train)),
    tile("Validation images", count(data.validation), partsText(data.parts.validation)),
    tile("MNIST test images", count(data.test), ...onStrokes(`${count(data.test_drawings)} pen strokes beside them`)),
    tile("Loss on MNIST test", metrics.test_loss.toFixed(4), "cross-entropy, nats a digit"),
    tile("Calibration error", percent(metrics.test_ece), "expected, on MNIST test", ...onStrokes(`${percent(metrics.strokes_ece)} on pen strokes`)),
  ];
}

/**
 * @param {string} term
 * @param {string} figure
 * @param {...string} notes
 * @returns {{term: string, figure: string, note: string}}
 */
function tile(term, figure, ...notes) {
  return { term, figure, note: notes.join(" · ") };
}

/**
 * @param {Record<string, number>} parts
 * @returns {string}
 */
function partsText(parts) {
  const names = /** @type {Record<string, string>} */ (PARTS);
  return Object.entries(parts)
    .map(([name, n]) => `${count(n)} ${names[name] ?? words(name)}`)
    .join(" · ");
}

/**
 * @param {ReliabilityBin[]} bins
 * @returns {Element[]}
 */
function drawReliability(bins) {
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
        .map((bin) => ({ x: bin.confidence, y: bin.accuracy, low: bin.accuracy_low, high: bin.accuracy_high, radius: 2.5 + Math.log10(Math.max(bin.n, 1)) })),
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
    html("p.keys", {}, ...keys, html("span", { class: "key key-guide" }, "as sure as it is right")),
    chart,
    foldedTable("The diagram’s figures", ["confidence", "digits", "mean", "right", "95 % interval"], rows),
  ];
}

/**
 * @param {Record<string, RefusalFamily>} families
 * @returns {HTMLElement[]}
 */
function drawRefusal(families) {
  const named = Object.entries(families)
    .sort(([, one], [, other]) => one.refused - other.refused)
    .map(([name, { is_held_out, refused, refused_low, refused_high, digit }]) => {
      const texts = [words(name), percent(refused, 1), interval(refused_low, refused_high, 1), percent(digit, 1)];
      return { is_held_out, refused, texts };
    });
  const heldOut = named.filter(({ is_held_out }) => is_held_out);
  const trained = named.filter(({ is_held_out }) => !is_held_out);
  const heads = ["kind", "refused", "95 % interval", "taken for a digit"];
  return [
    html("ul.refused", {}, ...heldOut.map(({ refused, texts: [name, share, between] }) =>
      html("li", {}, html("span.name", {}, name), track(refused), html("span.share", {}, share), html("span.between", {}, between)),
    )),
    foldedTable("Kinds that training did show, in other examples", heads, trained.map(({ texts }) => texts)),
  ];
}
