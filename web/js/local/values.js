// From the model's outputs to the values of an answer.

/** Decimals in an answer. */
export const SCORE_DECIMALS = 6;
const BOX_DECIMALS = 2;

/** Characters that are made of bytes at a time. */
const CHUNK = 2 ** 13;

/**
 * @param {import("onnxruntime-web").Tensor} tensor
 * @returns {Float32Array}
 */
export function floats(tensor) {
  return /** @type {Float32Array} */ (tensor.data);
}

/**
 * @param {import("./reader.js").Grey} grey
 * @param {Float32Array} sides left, top, right and bottom in its pixels
 * @returns {Box} in pixels of the source
 */
export function boxOf({ zoom, left, top, sourceWidth, sourceHeight }, sides) {
  const [starts, limits] = [[left, top], [sourceWidth, sourceHeight]];
  const scaled = [...sides].map((side, i) => rounded(Math.min((side - starts[i % 2]) / zoom, limits[i % 2]), BOX_DECIMALS));
  return { left: scaled[0], top: scaled[1], right: scaled[2], bottom: scaled[3] };
}

/**
 * Scale the maps of a layer to bytes: 255 is the highest value of all maps, 0 is 0 or less.
 *
 * @param {import("onnxruntime-web").Tensor} tensor [1, maps, height, width]
 * @returns {Pick<LayerMaps, "shape" | "peak" | "maps">}
 */
export function mapsOf(tensor) {
  const values = floats(tensor);
  const [, nMaps, height, width] = tensor.dims;
  const peak = values.reduce((most, value) => Math.max(most, value), 0);
  const factor = Math.fround(peak ? 255 / peak : 0);
  const levels = Uint8Array.from(values, (value) => Math.round(Math.max(value, 0) * factor));
  return { shape: [height, width, nMaps], peak: rounded(peak, SCORE_DECIMALS), maps: base64Of(levels) };
}

/**
 * @param {number} value
 * @param {number} decimals
 */
export function rounded(value, decimals) {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} base64
 */
export function base64Of(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return btoa(text);
}

/**
 * @param {...Uint8Array} parts
 * @returns {Uint8Array} one after the other
 */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
