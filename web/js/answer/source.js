// The pixels of a drawing before the preprocessing: the sheet's raster, or the image in a file.

import { greyOf } from "../base/pixels.js";

/** Longest side in pixels of a file's image on the page. */
const SHOWN_SIDE = 280;

/**
 * @typedef {object} Source
 * @property {Uint8Array} grey width x height levels
 * @property {number} width
 * @property {number} height
 * @property {ImageData | null} colours of a file's image
 */

/** @type {{file: File, source: Promise<Source | null>} | null} */
let last = null;

/**
 * @param {Drawing} drawing
 * @returns {Promise<Source | null>} null if the browser cannot decode the file
 */
export async function sourceOf({ grey, file }) {
  if (grey) {
    const side = Math.sqrt(grey.length);
    return { grey, width: side, height: side, colours: null };
  }
  if (!file) return null;
  if (last?.file !== file) last = { file, source: readFile(file).catch(() => null) };
  return last.source;
}

/**
 * @param {File} file
 * @returns {Promise<Source | null>}
 */
async function readFile(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SHOWN_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return null;
  // The service reads transparent pixels as white.
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const colours = context.getImageData(0, 0, width, height);
  return { grey: greyOf(colours.data), width, height, colours };
}
