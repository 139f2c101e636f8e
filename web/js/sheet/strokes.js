// Pen strokes as data: their history, and their encoding for links.

/** First character of a code: the version of the format. */
const FORMAT = "1";

/** Steps of the grid on a side of the sheet. */
const GRID = 1000;

/** Smallest distance between points in a code or a request, as a share of the side. */
const MIN_STEP = 0.008;

/** Farthest places of points that the service takes, as shares of the side. */
const LOWEST = -0.5;
const HIGHEST = 1.5;

/** Limit for a code, so that a link cannot block the page. */
const MAX_POINTS = 2_000;

/** Largest distance of a point from the sheet's origin, in grid steps. */
const MAX_OUTSIDE = 10 * GRID;

/** The strokes on a sheet, with undo and redo. */
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
   * Replace the strokes, as one step for undo.
   *
   * @param {readonly Stroke[]} strokes
   */
  change(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = [...strokes];
  }

  undo() {
    this.#move(this.#past, this.#future);
  }

  redo() {
    this.#move(this.#future, this.#past);
  }

  /** Undo the last step without a redo. */
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
 * Encode strokes for a link: the version of the format, then base64url. A stroke is its number of points, then the
 * steps right and down from point to point, all as variable-length integers.
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
 * @param {string} code made by `encodeStrokes`
 * @returns {Stroke[] | null} null for an invalid code
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
 * @param {readonly Stroke[]} strokes
 * @returns {Stroke[]} the strokes as they are sent: of the same shape, in few digits
 */
export function brief(strokes) {
  /** @param {number} place */
  const shorten = (place) => Math.round(Math.min(Math.max(place, LOWEST), HIGHEST) * GRID) / GRID;
  return strokes.map((stroke) => thin(stroke).map(([x, y]) => [shorten(x), shorten(y)]));
}

/**
 * Drop points that are too close to the one before. The last point stays.
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
 * Write seven bits a byte, the lowest first. The eighth bit is set if more bytes follow.
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
 * @returns {number[] | null} null for invalid text
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
 * Map signed to unsigned integers: 0, -1, 1, -2 become 0, 1, 2, 3.
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
