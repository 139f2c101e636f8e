// How a map is made, on the visitor's own ink: its kernel slides over the maps that the layer reads.

import { html, svg } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { GridCursor, paintGrey, paintTinted, paintWeights } from "../base/grid.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { askKernel } from "../local/choice.js";

/** How many of the maps that the layer reads are shown. */
const N_SHOWN = 3;

/** Time that the kernel stays in one place. */
const STEP_MS = 90;

const dialog = byId("kernel", HTMLDialogElement);
const story = byId("kernel-story");
const row = byId("kernel-row");
const sum = byId("kernel-sum");
let timer = 0;
let closed = new AbortController();

dialog.addEventListener("close", () => {
  clearInterval(timer);
  closed.abort();
});
byId("kernel-close").addEventListener("click", () => dialog.close());

/** One map of a layer, with what it is made of. Places are pixels of the map, row by row. */
class Convolution {
  /**
   * @param {KernelAnswer} kernel
   * @param {number} channel
   * @param {LayerMaps} layer that has the map
   * @param {LayerMaps | undefined} read the maps that the layer reads; without them it reads the input
   * @param {Uint8Array} normalized the network's input
   */
  constructor(kernel, channel, { shape: [height, width], maps, peak }, read, normalized) {
    this.n_read = kernel.n_maps;
    this.kernelHeight = kernel.height;
    this.kernelWidth = kernel.width;
    this.weights = new Int8Array(bytesOf(kernel.weights).buffer);
    this.stride = kernel.stride;
    this.height = height;
    this.width = width;
    this.levels = bytesOf(maps).subarray(channel * height * width, (channel + 1) * height * width);
    this.peak = peak;
    this.inputs = read ? bytesOf(read.maps) : normalized;
    this.inputHeight = read ? read.shape[0] : GRID;
    this.inputWidth = read ? read.shape[1] : GRID;
    // Zeros before the first row and column, if the layer adds any.
    this.padTop = Math.max((height - 1) * this.stride + this.kernelHeight - this.inputHeight, 0) >> 1;
    this.padLeft = Math.max((width - 1) * this.stride + this.kernelWidth - this.inputWidth, 0) >> 1;
  }

  /**
   * @param {number} place
   * @returns {[number, number]} the kernel's left and top on the maps that are read
   */
  corner(place) {
    return [(place % this.width) * this.stride - this.padLeft, Math.floor(place / this.width) * this.stride - this.padTop];
  }

  /**
   * @param {number} source index of a map that is read
   * @param {number} place
   * @returns {number} what its kernel adds there; only comparable within the map
   */
  added(source, place) {
    const [left, top] = this.corner(place);
    let total = 0;
    for (let y = Math.max(0, -top); y < Math.min(this.kernelHeight, this.inputHeight - top); y += 1) {
      for (let x = Math.max(0, -left); x < Math.min(this.kernelWidth, this.inputWidth - left); x += 1) {
        const level = this.inputs[(source * this.inputHeight + top + y) * this.inputWidth + left + x];
        total += level * this.weights[(source * this.kernelHeight + y) * this.kernelWidth + x];
      }
    }
    return total;
  }

  /** @returns {number} the place where the map is brightest */
  get brightest() {
    return this.levels.indexOf(Math.max(...this.levels));
  }

  /** @returns {number[]} the maps that add the most where the map is brightest */
  get strongest() {
    const sums = Array.from({ length: this.n_read }, (_, source) => this.added(source, this.brightest));
    return [...sums.keys()].sort((a, b) => sums[b] - sums[a]).slice(0, N_SHOWN);
  }
}

/**
 * @param {string} name of the layer
 * @param {number} number of the layer on the page
 * @param {number} channel
 * @param {LayerMaps[]} layers the maps of the ink
 * @param {Uint8Array} normalized the network's input
 */
export async function open(name, number, channel, layers, normalized) {
  byId("kernel-title").textContent = `Map ${channel + 1} of layer ${number}`;
  story.textContent = "Asking for its kernel…";
  sum.textContent = "";
  row.replaceChildren();
  closed = new AbortController();
  dialog.showModal();
  try {
    const kernel = await askKernel({ layer: name, channel }, closed.signal);
    const [made, read] = [name, kernel.reads].map((each) => layers.find((layer) => layer.name === each));
    if (dialog.open && made) show(new Convolution(kernel, channel, made, read, normalized), Boolean(read));
  } catch (error) {
    story.textContent = /** @type {Error} */ (error).message;
  }
}

/**
 * @param {Convolution} map
 * @param {boolean} readsMaps whether it reads other maps, not the input
 */
function show(map, readsMaps) {
  const { n_read, kernelHeight: height, kernelWidth: width, inputHeight, inputWidth } = map;
  const sources = map.strongest;
  const slides = `A kernel of ${height} × ${width} weights slides over ${readsMaps ? "a map" : "your ink"}: orange looks for ink, grey for none. Where it fits, the new map is bright.`;
  const others = ` ${n_read} kernels add up, one for each map of the layer before. The strongest are shown.`;
  story.textContent = n_read > N_SHOWN ? slides + others : slides;

  const frames = sources.map(() => svg("rect", { class: "cursor", width, height }));
  const mark = svg("rect", { class: "cursor", width: 1, height: 1 });
  const inputs = sources.map((source) => html("canvas", { role: "img", "aria-label": readsMaps ? `Map ${source + 1} of the layer before` : "The 28 by 28 pixels" }));
  const kernels = sources.map(() => html("canvas", { role: "img", "aria-label": `Its kernel, ${height} by ${width} weights` }));
  const canvas = html("canvas");
  const pairs = inputs.map((input, i) =>
    html("li", {}, tile(input, frames[i], inputWidth, inputHeight), html("span", { "aria-hidden": "true" }, "×"), html("div.tile", {}, kernels[i])));
  row.replaceChildren(html("ol", {}, ...pairs), html("span", { "aria-hidden": "true" }, "="), tile(canvas, mark, map.width, map.height));
  // Only an element of the page has its colour.
  const paint = readsMaps ? paintTinted : paintGrey;
  sources.forEach((source, i) => {
    paint(inputs[i], partOf(map.inputs, source, inputHeight * inputWidth), inputWidth);
    paintWeights(kernels[i], partOf(map.weights, source, height * width), width);
  });
  paintTinted(canvas, map.levels, map.width);

  let place = map.brightest;
  /**
   * @param {number} next
   * @returns {string}
   */
  const moveTo = (next) => {
    place = next;
    const [left, top] = map.corner(place);
    for (const frame of frames) move(frame, left, top);
    move(mark, place % map.width, Math.floor(place / map.width));
    const level = map.levels[place];
    return (sum.textContent = level ? `Here the sum is ${((level / 255) * map.peak).toFixed(2)}.` : "Here the sum is not above 0: the map is dark.");
  };
  moveTo(place);
  new GridCursor(canvas, "The map that it makes", map.width, {
    move: (x, y) => {
      clearInterval(timer);
      return moveTo(y * map.width + x);
    },
  });
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const inked = [...map.levels.keys()].filter((each) => sources.some((source) => map.added(source, each) !== 0));
  timer = setInterval(() => moveTo(inked.find((each) => each > place) ?? inked[0] ?? place), STEP_MS);
}

/**
 * @template {Uint8Array | Int8Array} Values
 * @param {Values} values of equal parts, one after the other
 * @param {number} index of a part
 * @param {number} size of a part
 * @returns {Values}
 */
function partOf(values, index, size) {
  return /** @type {Values} */ (values.subarray(index * size, (index + 1) * size));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {SVGElement} mark over it
 * @param {number} width of the canvas, pixels
 * @param {number} height
 * @returns {HTMLElement}
 */
function tile(canvas, mark, width, height) {
  return html("div.tile", {}, canvas, svg("svg", { class: "marks", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, mark));
}

/**
 * @param {SVGElement} frame
 * @param {number} x
 * @param {number} y
 */
function move(frame, x, y) {
  frame.setAttribute("x", String(x));
  frame.setAttribute("y", String(y));
}
