// The network's layers, from the ink to the answer: the maps of each as small tiles, one of them enlarged.

import { byId } from "./dom.js";
import { paintGrey } from "./grid.js";
import { MapPicker } from "./maps.js";
import { GRID, bytesOf } from "./pixels.js";
import { best, isRead, percent } from "./story.js";

/** @type {Record<string, string>} */
const KINDS = { Conv2D: "Convolution", MaxPooling2D: "Max pooling", AveragePooling2D: "Average pooling" };

/** @type {Map<string, string>} layer's name -> what the card says of it: the size of its filters, or of what it pools */
const details = new Map();
const list = byId("map-layers", HTMLOListElement);
const chances = byId("chances", HTMLOListElement);
const input = document.createElement("canvas");
/** @type {MapPicker[]} */
let pickers = [];
let shapes = "";

/** @param {Card} card */
export function showCard({ network }) {
  details.clear();
  for (const { name, detail } of network?.layers ?? []) details.set(name, (detail ?? "").replace("x", " × "));
  shapes = "";
}

/**
 * @param {Uint8Array} normalized what goes in, GRID x GRID
 * @param {LayerMaps[]} layers
 * @param {import("./story.js").Reading} reading what comes out
 */
export function show(normalized, layers, reading) {
  // The rows stay while the network is the same, and with them what is chosen and unfolded.
  const found = JSON.stringify(layers.map(({ name, shape }) => [name, shape]));
  if (found !== shapes) build(layers);
  shapes = found;
  paintGrey(input, normalized, GRID);
  layers.forEach((layer, index) => pickers[index].show(bytesOf(layer.maps), layer.peak));
  showChances(reading);
}

/** @param {LayerMaps[]} layers */
function build(layers) {
  input.role = "img";
  input.ariaLabel = "The 28 by 28 pixels that go in";
  const tile = element("div", "tile", input);
  pickers = layers.map(({ shape }, index) => new MapPicker(shape, `Maps of layer ${index + 1}, strongest first`));
  const rows = layers.map(({ name, kind, shape: [height, width, n_maps] }, index) => {
    const about = element(
      "div",
      "about",
      element("h4", "", `${index + 1} · ${KINDS[kind] ?? kind} ${details.get(name) ?? ""}`),
      element("p", "", `${n_maps} maps of ${height} × ${width}`),
      element("p", "", name),
    );
    return element("li", "map-layer", about, pickers[index].enlarged, pickers[index].tiles);
  });
  const first = element("div", "about", element("h4", "", "Input"), element("p", "", `${GRID} × ${GRID}`));
  list.replaceChildren(element("li", "map-layer", first, element("figure", "", tile)), ...rows);
}

/** @param {import("./story.js").Reading} reading */
function showChances(reading) {
  const rows = reading.probabilities.map((share, digit) => {
    const fill = element("span", "fill");
    fill.style.width = `${100 * share}%`;
    const name = element("span", "name", String(digit));
    const cells = [name, element("span", "track", fill), element("span", "share", percent(share))];
    return element("li", isRead(reading) && digit === best(reading) ? "best" : "", ...cells);
  });
  chances.replaceChildren(...rows);
  byId("score").replaceChildren("A digit at all: ", element("strong", "", percent(reading.digit_score)));
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...(string | Node)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}
