// The pixels of a drawing before the preprocessing: the picture of its strokes, or the image in a file.

import { greyOf, inkOf, squeeze } from "../base/pixels.js";
import { PICTURE_SIDE, drawPicture, drawSheet } from "../base/raster.js";

/** Longest side in pixels of a file's image on the page. */
const SHOWN_SIDE = 280;

/** Side in pixels of the sheet before it is squeezed to the network's input. */
const SHEET_SIDE = 112;

/**
 * @typedef {object} Source
 * @property {Uint8Array} grey width x height levels
 * @property {number} width
 * @property {number} height
 * @property {ImageData | null} colours of a file's image
 * @property {{zoom: number, left: number, top: number}} view of what the service measured: its size in these pixels, and
 *   where its corner is
 * @property {() => Uint8Array<ArrayBuffer>} squeezed the whole canvas, squeezed to the network's input
 */

/** @type {{file: File, source: Promise<Source | null>} | null} */
let last = null;

/**
 * @param {Drawing} drawing
 * @returns {Promise<Source | null>} null if the browser cannot decode the file
 */
export async function sourceOf({ strokes, file }) {
  if (strokes) {
    const { levels, ...view } = drawPicture(strokes);
    const squeezed = () => squeeze(drawSheet(strokes, SHEET_SIDE), SHEET_SIDE, SHEET_SIDE);
    return { grey: levels, width: PICTURE_SIDE, height: PICTURE_SIDE, colours: null, view, squeezed };
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
  const view = { zoom: width / bitmap.width, left: 0, top: 0 };
  bitmap.close();
  const colours = context.getImageData(0, 0, width, height);
  const grey = greyOf(colours.data);
  return { grey, width, height, colours, view, squeezed: () => squeeze(inkOf(grey, width, height), width, height) };
}
