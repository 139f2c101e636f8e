// The network's layers from the ink to the answer, with the feature maps of each as tiles.

import { Bars } from "../base/bars.js";
import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { chance } from "../base/figures.js";
import { paintGrey } from "../base/grid.js";
import { MapPicker } from "./maps.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { best, isRead } from "./sentences.js";

/** @type {Record<string, string>} */
const KINDS = { Conv2D: "Convolution", MaxPooling2D: "Max pooling", AveragePooling2D: "Average pooling" };

/** @type {Map<string, string>} the size of each layer's filters or pools, by its name */
const details = new Map();
const list = byId("map-layers", HTMLOListElement);
const chances = new Bars(byId("chances"));
const input = html("canvas", { role: "img", "aria-label": "The 28 by 28 pixels that go in" });
/** @type {MapPicker[]} */
let pickers = [];
let shapes = "";

/** @param {Card} card */
export function showCard({ network }) {
  details.clear();
  for (const { name, detail } of network.layers) details.set(name, (detail ?? "").replace("x", " × "));
  shapes = "";
}

/**
 * @param {Uint8Array} normalized the input, GRID x GRID
 * @param {LayerMaps[]} layers
 * @param {Reading} reading the output
 */
export function show(normalized, layers, reading) {
  // The rows stay while the network is the same, so that the chosen and unfolded maps stay too.
  const found = JSON.stringify(layers.map(({ name, shape }) => [name, shape]));
  if (found !== shapes) build(layers);
  shapes = found;
  paintGrey(input, normalized, GRID);
  layers.forEach((layer, index) => pickers[index].show(bytesOf(layer.maps), layer.peak));
  showChances(reading);
}

/** @param {LayerMaps[]} layers */
function build(layers) {
  pickers = layers.map(({ shape }, index) => new MapPicker(shape, `Maps of layer ${index + 1}, strongest first`));
  const rows = layers.map(({ name, kind, shape: [height, width, n_maps] }, index) => {
    const about = html(
      "div.about",
      {},
      html("h4", {}, `${index + 1} · ${KINDS[kind] ?? kind} ${details.get(name) ?? ""}`),
      html("p", {}, `${n_maps} maps of ${height} × ${width}`),
      html("p", {}, name),
    );
    return html("li.map-layer", {}, about, pickers[index].enlarged, pickers[index].tiles);
  });
  const first = html("div.about", {}, html("h4", {}, "Input"), html("p", {}, `${GRID} × ${GRID}`));
  list.replaceChildren(html("li.map-layer", {}, first, html("figure", {}, html("div.tile", {}, input))), ...rows);
}

/** @param {Reading} reading */
function showChances(reading) {
  chances.show(reading.probabilities, isRead(reading) ? [best(reading)] : []);
  byId("score").replaceChildren("A digit at all: ", html("strong", {}, chance(reading.digit_score)));
}
