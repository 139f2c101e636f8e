// Some maps of each layer beside the sheet, at every answer, and the part of the ink that decides, glowing on the sheet.

import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { paintTinted, wipe } from "../base/grid.js";
import { bytesOf, cropOf } from "../base/pixels.js";
import { open } from "./kernel.js";
import { WINDOW } from "./occlusion.js";

/** The kind of the layers that are shown. Those between them repeat their maps. */
const SHOWN = "Conv2D";

/** The least height of a layer's maps in pixels, and how many of them are shown: small maps need less room. */
const N_SHOWN = [[11, 6], [5, 8], [0, 16]];

/**
 * @typedef {object} Column of the maps of a layer
 * @property {string} name of the layer
 * @property {HTMLCanvasElement[]} tiles
 * @property {number[]} channels that the tiles show
 */

const list = byId("live-layers", HTMLOListElement);
const glow = byId("glow");
/** @type {Column[]} */
let columns = [];
/** @type {{layers: LayerMaps[], normalized: Uint8Array} | null} what the tiles show */
let shown = null;

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/**
 * @param {LayerMaps[]} layers
 * @param {Uint8Array} normalized the network's input
 * @param {boolean} isFinal whether to show the strongest maps; while the pen is down, the shown ones stay
 */
export function show(layers, normalized, isFinal) {
  shown = { layers, normalized };
  layers.forEach(({ name, shape: [height, width, n_maps], maps }) => {
    const column = columns.find((each) => each.name === name);
    if (!column) return;
    const levels = bytesOf(maps);
    const size = height * width;
    if (isFinal) column.channels = strongest(levels, size, n_maps).slice(0, column.tiles.length).sort((a, b) => a - b);
    column.tiles.forEach((tile, i) => {
      const channel = column.channels[i];
      paintTinted(tile, levels.subarray(channel * size, (channel + 1) * size), width);
      if (isFinal) tile.parentElement?.setAttribute("aria-label", `Map ${channel + 1}`);
    });
  });
}

/**
 * Make a column for each layer with maps.
 *
 * @param {Layer[]} layers
 */
export function showLayers(layers) {
  const shown = layers.filter(({ kind }) => kind === SHOWN);
  columns = shown.map(({ name, shape: [height, width, n_maps] }) => {
    const n_tiles = Math.min(n_maps, N_SHOWN.find(([least]) => height >= least)?.[1] ?? 0);
    const tiles = Array.from({ length: n_tiles }, () => html("canvas", { width, height }));
    return { name, tiles, channels: [...tiles.keys()] };
  });
  list.replaceChildren(...shown.map(({ shape: [height, width, n_maps] }, place) => {
    const { tiles } = columns[place];
    const buttons = tiles.map((tile, i) => button(place, i, tile));
    const label = `${tiles.length} of the ${n_maps} maps of layer ${place + 1}: how each is made`;
    const maps = html("div.live-maps", { role: "toolbar", "aria-label": label, onkeydown: (/** @type {KeyboardEvent} */ event) => press(event, buttons) }, ...buttons);
    return html("li", { "data-n": tiles.length }, maps, html("p", {}, `Layer ${place + 1} `, html("span", {}, `${height} × ${width}`)));
  }));
}

/**
 * @param {number} place of the column
 * @param {number} i index of the tile
 * @param {HTMLCanvasElement} tile
 * @returns {HTMLButtonElement} shows how the tile's map is made
 */
function button(place, i, tile) {
  const explain = () => {
    const { name, channels } = columns[place];
    if (shown) open(name, place + 1, channels[i], shown.layers, shown.normalized);
  };
  return html("button", { type: "button", "aria-label": `Map ${i + 1}`, tabindex: i === 0 ? 0 : -1, onclick: explain }, tile);
}

/**
 * Move the focus with the arrow keys: the Tab key stops once in each layer.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLButtonElement[]} buttons
 */
function press(event, buttons) {
  const next = buttons[buttons.findIndex((each) => each === event.target) + STEPS[event.key]];
  if (!next) return;
  event.preventDefault();
  for (const each of buttons) each.tabIndex = each === next ? 0 : -1;
  next.focus();
}

/**
 * @param {Uint8Array} levels of all maps
 * @param {number} size of a map
 * @param {number} n_maps
 * @returns {number[]} the channels, the one with the largest sum first
 */
function strongest(levels, size, n_maps) {
  const sums = Array.from({ length: n_maps }, (_, channel) => levels.subarray(channel * size, (channel + 1) * size).reduce((sum, level) => sum + level, 0));
  return [...sums.keys()].sort((a, b) => sums[b] - sums[a]);
}

/**
 * Light the part of the drawing under a window.
 *
 * @param {Answer} answer to the drawing
 * @param {import("./occlusion.js").Place} place of the window on the network's input
 */
export function lightUp({ box, normalized, width, height }, place) {
  if (!box) return;
  const crop = cropOf(bytesOf(normalized), box);
  const scale = Math.max(box.right - box.left, box.bottom - box.top) / Math.max(crop.width, crop.height);
  const [x, y] = [box.left + (place.left + WINDOW / 2 - crop.left) * scale, box.top + (place.top + WINDOW / 2 - crop.top) * scale];
  glow.style.left = `${(100 * x) / width}%`;
  glow.style.top = `${(100 * y) / height}%`;
  glow.style.width = `${(200 * WINDOW * scale) / width}%`;
  glow.hidden = false;
}

export function darken() {
  glow.hidden = true;
}

/** Forget the maps of a drawing that is gone. */
export function wipeAll() {
  shown = null;
  for (const tile of columns.flatMap(({ tiles }) => tiles)) wipe(tile);
}
