// Keeps the drawing when the page is loaded again in the same tab.

import { decodeStrokes, encodeStrokes } from "./strokes.js";

const KEY = "ink";

/** @param {Stroke[]} strokes */
export function keepDrawing(strokes) {
  try {
    if (strokes.length > 0) sessionStorage.setItem(KEY, encodeStrokes(strokes));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is blocked, so the drawing is lost with the page.
  }
}

/** @returns {Stroke[] | null} the drawing from before the page was loaded again */
export function keptDrawing() {
  try {
    return decodeStrokes(sessionStorage.getItem(KEY) ?? "");
  } catch {
    return null;
  }
}
