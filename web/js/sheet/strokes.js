// Pen strokes as data: their history, and their short form for a link. Nothing here touches the page.

/** First character of a code, so that a later format can tell itself from this one. */
const FORMAT = "1";

/** Steps of the grid on a side of the sheet: half a step is a quarter of a screen pixel where the sheet has 500. */
const GRID = 1000;

/** Points closer than this to the last one are left out of a code, as a share of the side; the line hides it. */
const MIN_STEP = 0.008;

/** Several times what `thin` leaves of a drawing that fills the sheet: what comes by a link must not keep the page busy. */
const MAX_POINTS = 2_000;

/** How far beyond the sheet a point of a code may lie, in grid steps. */
const MAX_OUTSIDE = 10 * GRID;

/** The strokes on a sheet, with what was there before and what was taken back. */
export class History {
  /** @type {Stroke[]} */
  #strokes = [];
  /** @type {Stroke[][]} */
  #past = [];
  /** @type {Stroke[][]} */
  #future = [];

  /** @returns {readonly Stroke[]} the strokes on the sheet */
  get strokes() {
    return this.#strokes;
  }

  /** @returns {boolean} */
  get canUndo() {
    return this.#past.length > 0;
  }

  /** @returns {boolean} */
  get canRedo() {
    return this.#future.length > 0;
  }

  /**
   * A step that undo takes back: other strokes on the sheet.
   *
   * @param {readonly Stroke[]} strokes
   */
  change(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = [...strokes];
  }

  /** Takes the last step back. */
  undo() {
    this.#move(this.#past, this.#future);
  }

  /** Does again what undo took back last. */
  redo() {
    this.#move(this.#future, this.#past);
  }

  /** Takes the last step back for good, as if it had never been. */
  drop() {
    this.undo();
    this.#future.pop();
  }

  /**
   * @param {Stroke[][]} from
   * @param {Stroke[][]} to
   */
  #move(from, to) {
    const strokes = from.pop();
    if (!strokes) return;
    to.push(this.#strokes);
    this.#strokes = strokes;
  }
}

/**
 * Strokes as a short text for a link: after the format's number, base64url of bytes. A stroke is its number of points
 * and then, for each point, the steps right and down from the one before; all are variable-length integers.
 *
 * @param {readonly Stroke[]} strokes
 * @returns {string}
 */
export function encodeStrokes(strokes) {
  /** @type {number[]} */
  const bytes = [];
  let [lastX, lastY] = [0, 0];
  for (const stroke of strokes) {
    const points = thin(stroke);
    pushInteger(bytes, points.length);
    for (const [x, y] of points.map(([x, y]) => [Math.round(x * GRID), Math.round(y * GRID)])) {
      pushInteger(bytes, zigzag(x - lastX));
      pushInteger(bytes, zigzag(y - lastY));
      [lastX, lastY] = [x, y];
    }
  }
  const text = btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
  return FORMAT + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {string} code what `encodeStrokes` made
 * @returns {Stroke[] | null} null where it did not
 */
export function decodeStrokes(code) {
  const numbers = code.startsWith(FORMAT) ? readIntegers(code.slice(FORMAT.length)) : null;
  // Two numbers a point, and one a stroke of at least one point.
  if (!numbers || numbers.length > 3 * MAX_POINTS) return null;
  /** @type {Stroke[]} */
  const strokes = [];
  let [x, y] = [0, 0];
  for (let start = 0; start < numbers.length; ) {
    const end = start + 1 + 2 * numbers[start];
    if (end > numbers.length || end === start + 1) return null;
    /** @type {Stroke} */
    const stroke = [];
    for (let i = start + 1; i < end; i += 2) {
      x += unzigzag(numbers[i]);
      y += unzigzag(numbers[i + 1]);
      if (Math.max(Math.abs(x), Math.abs(y)) > MAX_OUTSIDE) return null;
      stroke.push([x / GRID, y / GRID]);
    }
    strokes.push(stroke);
    start = end;
  }
  return strokes.length > 0 ? strokes : null;
}

/**
 * Every point that is far enough from the one before, and the last: an even spacing keeps the curve between them.
 *
 * @param {Stroke} stroke
 * @returns {Stroke}
 */
function thin(stroke) {
  const kept = stroke.slice(0, 1);
  stroke.forEach(([x, y], i) => {
    const [lastX, lastY] = kept[kept.length - 1];
    const step = Math.hypot(x - lastX, y - lastY);
    if (step >= MIN_STEP || (i === stroke.length - 1 && step > 0)) kept.push([x, y]);
  });
  return kept;
}

/**
 * Seven bits a byte, the lowest first; the eighth says that more follow.
 *
 * @param {number[]} bytes
 * @param {number} value
 */
function pushInteger(bytes, value) {
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  bytes.push(value);
}

/**
 * @param {string} text base64url
 * @returns {number[] | null} the integers in it, null where it is damaged
 */
function readIntegers(text) {
  let bytes;
  try {
    bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const byte of bytes) {
    const bits = byte.charCodeAt(0);
    value |= (bits & 127) << shift;
    shift = bits > 127 ? shift + 7 : 0;
    if (shift > 21) return null;
    if (shift === 0) {
      numbers.push(value);
      value = 0;
    }
  }
  return shift === 0 ? numbers : null;
}

/**
 * Small numbers of either sign as small numbers: 0, -1, 1, -2 become 0, 1, 2, 3.
 *
 * @param {number} value
 * @returns {number}
 */
function zigzag(value) {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/**
 * @param {number} value
 * @returns {number}
 */
function unzigzag(value) {
  return value % 2 ? -(value + 1) / 2 : value / 2;
}
