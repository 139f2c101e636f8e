// The image that lies on the sheet in place of ink.

import { byId } from "../base/dom.js";

const picture = byId("picture", HTMLImageElement);
const unshown = byId("unshown");

/** @type {File | null} the one that lies on the sheet */
let shown = null;

picture.addEventListener("error", () => {
  picture.hidden = true;
  unshown.hidden = false;
});

/** @param {File} file its name is shown where the browser cannot show it */
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
 * @returns {boolean} whether this very file lies on the sheet, or none does
 */
export function isOf(file) {
  return shown === (file ?? null);
}

/** @returns {boolean} */
export function isThere() {
  return shown !== null;
}
