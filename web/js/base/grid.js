// Grey levels on canvases, and a cursor to read them by mouse, finger and keyboard.

/**
 * Paint grey levels.
 *
 * @param {HTMLCanvasElement} canvas gets as many pixels as there are levels
 * @param {Uint8Array} levels width x height, row by row
 * @param {number} width
 */
export function paintGrey(canvas, levels, width) {
  paint(canvas, levels.length, width, (data) => {
    // One write per pixel, because the raster is painted at every frame of a stroke.
    const rgba = new DataView(data.buffer);
    levels.forEach((level, pixel) => rgba.setUint32(4 * pixel, level * 0x01010100 + 255));
  });
}

/**
 * Paint levels from black over the canvas's own CSS colour to white.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} levels width x height, row by row
 * @param {number} width
 */
export function paintTinted(canvas, levels, width) {
  const tints = tintsOf(colourOf(canvas));
  paint(canvas, levels.length, width, (data) => {
    const rgba = new DataView(data.buffer);
    levels.forEach((level, pixel) => rgba.setUint32(4 * pixel, tints[level]));
  });
}

/**
 * Paint cold ink grey and hot ink in the canvas's own CSS colour.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} levels width x height, 255 = ink
 * @param {number} width
 * @param {Float64Array} heat of each pixel, 1 and more for the hottest
 */
export function paintHeat(canvas, levels, width, heat) {
  const colour = colourOf(canvas);
  paint(canvas, levels.length, width, (data) => {
    levels.forEach((level, pixel) => {
      const share = Math.min(Math.max(heat[pixel], 0), 1);
      data.set([...colour.map((part) => (level / 255) * (COLD + (part - COLD) * share)), 255], 4 * pixel);
    });
  });
}

/**
 * Paint weights: positive ones in the canvas's own CSS colour, negative ones grey.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} weights width x height, -127 to 127
 * @param {number} width
 */
export function paintWeights(canvas, weights, width) {
  const colour = colourOf(canvas);
  paint(canvas, weights.length, width, (data) => {
    weights.forEach((weight, pixel) => {
      const parts = weight > 0 ? colour : [NEGATIVE, NEGATIVE, NEGATIVE];
      data.set([...parts.map((part) => (Math.abs(weight) / 127) * part), 255], 4 * pixel);
    });
  });
}

/**
 * Clear a canvas, without a context for one that was never painted.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function wipe(canvas) {
  canvas.width |= 0;
}

/** The grey of cold ink; the legend's gradient starts with it. */
const COLD = 110;

/** The grey of the most negative weight. */
const NEGATIVE = 150;

/**
 * Read a canvas of `side` x `side` pixels by pointing, touching or the arrow keys. A screen reader sees a slider, whose
 * value it speaks after each arrow key.
 */
export class GridCursor {
  #canvas;
  #side;
  #on;
  #x;
  #y;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} label its name
   * @param {number} side
   * @param {{move: (x: number, y: number) => string, leave?: () => void}} on `move` shows the pixel and returns its description
   */
  constructor(canvas, label, side, on) {
    this.#canvas = canvas;
    this.#side = side;
    this.#on = on;
    this.#x = this.#y = side >> 1;
    canvas.tabIndex = 0;
    canvas.role = "slider";
    canvas.ariaLabel = label;
    canvas.ariaValueMin = "0";
    canvas.ariaValueMax = String(side * side - 1);
    this.#say("nothing yet");
    canvas.addEventListener("pointerdown", (event) => this.#point(event));
    canvas.addEventListener("pointermove", (event) => this.#point(event));
    canvas.addEventListener("pointerleave", () => document.activeElement !== canvas && this.#on.leave?.());
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.#moveTo(this.#x, this.#y));
    canvas.addEventListener("blur", () => this.#on.leave?.());
    canvas.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Show the pixel at the cursor again after the canvas has changed, if it has the focus. */
  refresh() {
    if (document.activeElement === this.#canvas) this.#moveTo(this.#x, this.#y);
  }

  /**
   * @param {number} x column
   * @param {number} y row
   */
  #moveTo(x, y) {
    this.#x = Math.min(Math.max(x, 0), this.#side - 1);
    this.#y = Math.min(Math.max(y, 0), this.#side - 1);
    this.#say(this.#on.move(this.#x, this.#y));
  }

  /** @param {string} words */
  #say(words) {
    this.#canvas.ariaValueNow = String(this.#y * this.#side + this.#x);
    this.#canvas.ariaValueText = words;
  }

  /** @param {PointerEvent} event */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const x = Math.floor(((clientX - left) / width) * this.#side);
    this.#moveTo(x, Math.floor(((clientY - top) / height) * this.#side));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#moveTo(this.#x + step[0], this.#y + step[1]);
  }
}

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {Map<string, Uint32Array>} the tints of each colour, because many maps are painted at every answer */
const tables = new Map();

/**
 * @param {number[]} colour
 * @returns {Uint32Array} red, green, blue and alpha for each level
 */
function tintsOf(colour) {
  const key = colour.join();
  const table = tables.get(key) ?? Uint32Array.from({ length: 256 }, (_, level) =>
    [...colour.map((part) => blend(part, level / 255)), 255].reduce((rgba, part) => 256 * rgba + Math.round(part), 0));
  tables.set(key, table);
  return table;
}

/**
 * @param {number} part of a colour
 * @param {number} share 0 for black, 0.5 for the colour, 1 for white
 * @returns {number}
 */
function blend(part, share) {
  return share < 0.5 ? 2 * share * part : part + (2 * share - 1) * (255 - part);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} n_pixels
 * @param {number} width
 * @param {(data: Uint8ClampedArray) => void} fill red, green, blue and alpha of each pixel
 */
function paint(canvas, n_pixels, width, fill) {
  const height = n_pixels / width;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  fill(image.data);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {number[]} red, green and blue of its CSS colour
 */
function colourOf(canvas) {
  return (getComputedStyle(canvas).color.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}
