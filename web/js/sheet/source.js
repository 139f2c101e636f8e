// What a drawing looks like before the preprocessing: the sheet's raster, or the image in a file.

import { RASTER_SIDE } from "./canvas.js";
import { greyOf } from "../base/pixels.js";

/** Longest side in pixels that a file's image is shown with. */
const SHOWN_SIDE = 280;

/**
 * @typedef {object} Source
 * @property {Uint8Array} grey width x height levels
 * @property {number} width
 * @property {number} height
 * @property {ImageData | null} colours those of a file's image
 */

/** @type {{file: File, source: Promise<Source | null>} | null} */
let last = null;

/**
 * @param {Drawing} drawing
 * @returns {Promise<Source | null>} null where the browser cannot show the file that the service could read
 */
export async function sourceOf({ grey, file }) {
  if (grey) return { grey, width: RASTER_SIDE, height: RASTER_SIDE, colours: null };
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
  // What is see-through is read on white.
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const colours = context.getImageData(0, 0, width, height);
  return { grey: greyOf(colours.data), width, height, colours };
}
