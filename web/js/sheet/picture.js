// The image on the sheet in place of ink.

import { byId } from "../base/dom.js";

const picture = byId("picture", HTMLImageElement);
const unshown = byId("unshown");

/** @type {File | null} */
let shown = null;

picture.addEventListener("error", () => {
  picture.hidden = true;
  unshown.hidden = false;
});

/** @param {File} file its name is shown if the browser cannot decode it */
export function show(file) {
  hide();
  shown = file;
  unshown.textContent = file.name;
  picture.src = URL.createObjectURL(file);
  picture.hidden = false;
}

export function hide() {
  shown = null;
  URL.revokeObjectURL(picture.src);
  picture.removeAttribute("src");
  picture.hidden = unshown.hidden = true;
}

/**
 * @param {File} [file]
 * @returns {boolean} whether exactly this file is on the sheet; without an argument, whether none is
 */
export function isOf(file) {
  return shown === (file ?? null);
}

/** @returns {boolean} */
export function isThere() {
  return shown !== null;
}
