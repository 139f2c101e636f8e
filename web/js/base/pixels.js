// Computations on grey levels in plain arrays.

/** Side in pixels of the network's input. */
export const GRID = 28;

/** The longest side of the ink on the grid, in pixels; the rest is margin. */
export const FIT = 20;

/** Fainter pixels do not join parts of the ink, and a part has at least this share of the inked pixels. */
const LEAST_INK = 50;
const LEAST_PART = 0.15;

/** @typedef {{left: number, top: number, width: number, height: number}} Crop in pixels of the grid */

/**
 * @param {string} text base64
 * @returns {Uint8Array<ArrayBuffer>} its bytes
 */
export function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  // Uint8Array.from takes 20 times as long, which delays each answer.
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * @param {Uint8ClampedArray} rgba red, green, blue and alpha of each pixel, all opaque
 * @returns {Uint8Array<ArrayBuffer>} the grey level of each pixel
 */
export function greyOf(rgba) {
  // ITU-R 601, like Pillow in the service.
  return Uint8Array.from({ length: rgba.length / 4 }, (_, pixel) => {
    const [red, green, blue] = rgba.subarray(4 * pixel, 4 * pixel + 3);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });
}

/**
 * @param {Uint8Array} grey width x height levels
 * @param {number} width
 * @param {number} height
 * @returns {boolean} whether most of the border is light, like paper
 */
export function isLight(grey, width, height) {
  const rows = [0, height - 1].flatMap((y) => [...grey.subarray(y * width, (y + 1) * width)]);
  const columns = Array.from({ length: height }, (_, y) => [grey[y * width], grey[(y + 1) * width - 1]]).flat();
  const edges = [...rows, ...columns].sort((a, b) => a - b);
  return edges[edges.length >> 1] > 127;
}

/**
 * @param {Uint8Array} grey width x height levels
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array} the levels with light ink on dark, 255 = ink
 */
export function inkOf(grey, width, height) {
  return isLight(grey, width, height) ? grey.map((level) => 255 - level) : grey;
}

/**
 * Resize the whole picture to the grid, regardless of its shape. Each pixel is the mean of those that it covers.
 *
 * @param {Uint8Array} levels width x height
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array<ArrayBuffer>} GRID x GRID levels
 */
export function squeeze(levels, width, height) {
  const grid = new Uint8Array(GRID * GRID);
  for (let row = 0; row < GRID; row += 1) {
    const [top, bottom] = spanOf(row, height);
    for (let column = 0; column < GRID; column += 1) {
      const [left, right] = spanOf(column, width);
      let sum = 0;
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) sum += levels[y * width + x];
      }
      grid[row * GRID + column] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return grid;
}

/**
 * Return the place of the ink's box on the grid. Its longest side has FIT pixels, and it is where the most ink is.
 *
 * @param {Uint8Array} normalized GRID x GRID levels, 255 = ink
 * @param {Box} box of the ink in source pixels
 * @returns {Crop} in pixels of the grid
 */
export function cropOf(normalized, { left, top, right, bottom }) {
  const scale = Math.max(right - left, bottom - top, 1) / FIT;
  const width = Math.max(1, Math.ceil((right - left) / scale - 1e-4));
  const height = Math.max(1, Math.ceil((bottom - top) / scale - 1e-4));
  const [byColumn, byRow] = profilesOf(normalized);
  return { left: heaviest(byColumn, width), top: heaviest(byRow, height), width, height };
}

/**
 * @param {Uint8Array} normalized GRID x GRID levels
 * @param {Crop} crop
 * @returns {Uint8Array<ArrayBuffer>} FIT x FIT levels with the crop in the middle
 */
export function fitOf(normalized, { left, top, width, height }) {
  const frame = new Uint8Array(FIT * FIT);
  const [x, y] = [(FIT - width) >> 1, (FIT - height) >> 1];
  for (let row = 0; row < height; row += 1) {
    const start = (top + row) * GRID + left;
    frame.set(normalized.subarray(start, start + width), (y + row) * FIT + x);
  }
  return frame;
}

/**
 * Count the separate parts of the ink, without specks.
 *
 * @param {Uint8Array} normalized GRID x GRID levels, 255 = ink
 * @returns {number}
 */
export function countParts(normalized) {
  const inked = new Set([...normalized.keys()].filter((pixel) => normalized[pixel] > LEAST_INK));
  const least = LEAST_PART * inked.size;
  let n = 0;
  while (inked.size > 0) {
    const [first] = inked;
    const part = [first];
    inked.delete(first);
    for (let i = 0; i < part.length; i += 1) {
      const x = part[i] % GRID;
      for (const pixel of [-GRID, 0, GRID].flatMap((row) => [x > 0 ? -1 : 0, 0, x < GRID - 1 ? 1 : 0].map((step) => part[i] + row + step))) {
        if (inked.delete(pixel)) part.push(pixel);
      }
    }
    if (part.length >= least) n += 1;
  }
  return n;
}

/**
 * @param {Uint8Array} normalized GRID x GRID levels, some of them above 0
 * @returns {{x: number, y: number}} the ink's centre of mass, in pixels from the grid's left and upper edge
 */
export function centreOfMass(normalized) {
  const [x, y] = profilesOf(normalized).map((profile) => {
    const total = profile.reduce((sum, mass) => sum + mass, 0);
    return profile.reduce((sum, mass, place) => sum + mass * (place + 0.5), 0) / total;
  });
  return { x, y };
}

/**
 * @param {Crop} crop
 * @returns {{right: number, down: number}} distance in grid pixels from the middle of the grid, which is the difference
 *   between centring by mass and centring the box
 */
export function shiftOf({ left, top, width, height }) {
  return { right: left - (GRID - width) / 2, down: top - (GRID - height) / 2 };
}

/**
 * @param {number} cell of GRID along one side
 * @param {number} size of that side in source pixels
 * @returns {[number, number]} the first source pixel that it covers, and the one after the last
 */
function spanOf(cell, size) {
  const start = Math.floor((cell * size) / GRID);
  return [start, Math.max(start + 1, Math.floor(((cell + 1) * size) / GRID))];
}

/**
 * @param {Uint8Array} normalized
 * @returns {[number[], number[]]} the ink in each column, and in each row
 */
function profilesOf(normalized) {
  const byColumn = Array(GRID).fill(0);
  const byRow = Array(GRID).fill(0);
  normalized.forEach((level, pixel) => {
    byColumn[pixel % GRID] += level;
    byRow[Math.floor(pixel / GRID)] += level;
  });
  return [byColumn, byRow];
}

/**
 * @param {number[]} profile
 * @param {number} length
 * @returns {number} start of the `length` neighbours with the largest sum
 */
function heaviest(profile, length) {
  const sums = Array.from({ length: profile.length - length + 1 }, (_, start) =>
    profile.slice(start, start + length).reduce((sum, mass) => sum + mass, 0),
  );
  return sums.indexOf(Math.max(...sums));
}
