// The image that lies on the sheet in place of ink.

import { byId } from "./dom.js";

const picture = byId("picture", HTMLImageElement);
const unshown = byId("unshown");

picture.addEventListener("error", () => {
  picture.hidden = true;
  unshown.hidden = false;
});

/** @param {File} file its name is shown where the browser cannot show it */
export function show(file) {
  hide();
  unshown.textContent = file.name;
  picture.src = URL.createObjectURL(file);
  picture.hidden = false;
}

export function hide() {
  URL.revokeObjectURL(picture.src);
  picture.removeAttribute("src");
  picture.hidden = unshown.hidden = true;
}

/** @returns {boolean} */
export function isThere() {
  return picture.hasAttribute("src");
}
