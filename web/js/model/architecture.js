// The network's layers, its definition and its training, from the model's card.

import { foldedTable, html, svg } from "../base/markup.js";
import { decades, drawChart, wholeTicks } from "../base/chart.js";
import { byId } from "../base/dom.js";
import { count, counted, percent, words } from "../base/figures.js";

/** @typedef {Record<string, (epoch: Epoch) => number>} Values the value of each curve at an epoch */

/** Side of a layer's square picture, in its own units. */
const PICTURE = 96;
const MOST_TICKS = 8;

export const section = "network";
export const isLate = true;
/** @type {(keyof Card)[]} */
export const needs = ["network", "parameters", "training"];

/** @param {Card} card */
export function showCard({ network, parameters, training }) {
  byId("network-summary").textContent = summarise(network, parameters.model.name);
  byId("layers").replaceChildren(...network.layers.map((layer) => drawLayer(layer, network.layers)));
  byId("definition").textContent = network.definition;
  byId("training-summary").textContent =
    `The weights of epoch ${training.epoch} of ${training.history.length} were kept. The training curve is taken while the weights ` +
    "change, on the hardest of the warped images and with features dropped where that is set; the validation curve after each epoch, without.";
  byId("training-parameters").replaceChildren(...listRecipe(parameters));
  byId("training-curves").replaceChildren(...drawTraining(training));
}

/**
 * @param {CardNetwork} network
 * @param {string} name
 * @returns {string}
 */
export function summarise({ n_parameters, layers }, name) {
  const convolutions = counted(layers.filter(({ kind }) => kind === "Conv2D").length, "convolution");
  return `${name} has ${count(n_parameters)} parameters in ${counted(layers.length, "layer")}, ${convolutions} among them. Each block is drawn to the scale of its output.`;
}

/**
 * Return the size of a layer's block.
 *
 * @param {number[]} shape `[height, width, channels]`, or `[units]`
 * @param {number} widest the largest height of any layer
 * @returns {{side: number, depth: number}} units of the picture: width of the front, and depth
 */
export function blockSize(shape, widest) {
  if (shape.length < 3) return { side: 6, depth: 0 };
  return { side: Math.max(4, (52 * shape[0]) / widest), depth: Math.min(38, 2.8 * Math.sqrt(shape[2])) };
}

/**
 * @param {Layer} layer
 * @param {Layer[]} layers of the whole network
 * @returns {HTMLLIElement}
 */
function drawLayer(layer, layers) {
  const total = layers.reduce((sum, { n_parameters }) => sum + n_parameters, 0);
  const widest = Math.max(...layers.filter(({ shape }) => shape.length === 3).map(({ shape }) => shape[0]), 1);
  const share = html("span.share");
  share.style.width = `${(100 * layer.n_parameters) / (total || 1)}%`;
  const size = layer.detail?.replace(/(\d)x(?=\d)/g, "$1 × ");
  const details = [size, layer.activation].filter(Boolean).join(", ");
  return html("li", { class: `layer layer-${layer.kind.toLowerCase()}` },
    drawBlock(layer.shape, widest),
    html("div", {},
      html("strong", {}, layer.kind),
      html("span", {}, layer.shape.join(" × ")),
      html("span.how", {}, details || "\u00a0"),
      html("span.parameters", {}, html("b", {}, count(layer.n_parameters)), " parameters"),
      html("span.shares", { "aria-hidden": "true" }, share),
    ),
  );
}

/**
 * @param {number[]} shape
 * @param {number} widest
 * @returns {SVGSVGElement}
 */
function drawBlock(shape, widest) {
  const { side, depth } = blockSize(shape, widest);
  const height = shape.length < 3 ? Math.min(80, 8 + 8 * Math.log2(shape[0])) : side;
  const slant = depth * 0.6;
  const left = (PICTURE - side - slant) / 2;
  const top = (PICTURE - height + slant) / 2;
  const right = left + side;
  const bottom = top + height;
  return svg(
    "svg",
    { viewBox: `0 0 ${PICTURE} ${PICTURE}`, "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "side", d: `M${right} ${top}l${slant} ${-slant}V${bottom - slant}L${right} ${bottom}Z` }),
    svg("path", { class: "top", d: `M${left} ${top}l${slant} ${-slant}H${right + slant}L${right} ${top}Z` }),
    svg("rect", { class: "front", x: left, y: top, width: side, height }),
  );
}

/**
 * @param {Card["parameters"]} parameters
 * @returns {HTMLElement[]} those of the network and of its training
 */
function listRecipe({ model: { name: _, ...model }, train: { augment, ...train } }) {
  const warps = Object.entries(augment).map(([key, value]) => /** @type {const} */ ([`augment ${key}`, value]));
  return [...Object.entries(model), ...Object.entries(train), ...warps]
    .filter(([, value]) => value !== null && typeof value !== "object")
    .map(([key, value]) => {
      const text = typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
      return html("div", {}, html("dt", {}, words(key)), html("dd", {}, text));
    });
}

/**
 * @param {CardTraining} training
 * @returns {HTMLElement[]}
 */
function drawTraining({ history, epoch: kept }) {
  /** @type {Values} */
  const losses = { training: ({ loss }) => loss, validation: ({ val_loss }) => val_loss };
  /** @type {Values} */
  const errors = { training: ({ accuracy }) => 1 - accuracy, validation: ({ val_accuracy }) => 1 - val_accuracy };
  return [
    drawCurves("Loss", history, kept, losses, (loss) => String(Number(loss.toPrecision(2)))),
    drawCurves("Accuracy", history, kept, errors, (error) => `${Number((100 * (1 - error)).toFixed(2))}\u00a0%`),
    foldedTable(
      "The curves’ figures",
      ["epoch", "training loss", "validation loss", "training accuracy", "validation accuracy"],
      history.map(({ epoch, loss, val_loss, accuracy, val_accuracy }) => [
        String(epoch), loss.toFixed(4), val_loss.toFixed(4), percent(accuracy), percent(val_accuracy),
      ]),
    ),
  ];
}

/**
 * Draw two curves over the epochs. The axis is logarithmic, because losses and errors shrink by factors.
 *
 * @param {string} title
 * @param {Epoch[]} history
 * @param {number} kept the epoch whose weights were kept
 * @param {Values} values
 * @param {(value: number) => string} format
 * @returns {HTMLElement}
 */
function drawCurves(title, history, kept, values, format) {
  const { low, high, powers } = decades(history.flatMap((epoch) => Object.values(values).map((value) => value(epoch))));
  const isShrinking = title === "Accuracy";
  const [first, last] = [history[0].epoch, history[history.length - 1].epoch];
  const curves = Object.entries(values);
  const series = curves.map(([name, value]) => ({
    name,
    points: history.map((epoch) => ({ x: epoch.epoch, y: Math.max(Math.log10(value(epoch)), low) })),
  }));
  const ends = [history[0], history[history.length - 1]];
  const story = curves.map(([name, value]) => `${name} from ${ends.map((epoch) => format(value(epoch))).join(" to ")}`);
  const epochs = wholeTicks(first, last, MOST_TICKS).map((value) => ({ value, text: String(value) }));
  const chart = drawChart({
    label: `${title} by epoch, ${first} to ${last}: ${story.join(", ")}.`,
    x: { label: "epoch", low: first, high: last, ticks: epochs },
    y: {
      label: `${title.toLowerCase()} (logarithmic)`,
      low: isShrinking ? high : low,
      high: isShrinking ? low : high,
      ticks: powers.map((power) => ({ value: power, text: format(10 ** power) })),
    },
    series,
    guide: { x1: kept, x2: kept, y1: low, y2: high },
  });
  const keys = Object.keys(values).map((name) => html("span", { class: `key key-${name}` }, name));
  const legend = html("span.keys", {}, ...keys, html("span", { class: "key key-kept" }, "kept epoch"));
  return html("figure.panel", {}, html("figcaption", {}, html("strong", {}, title), legend), chart);
}
