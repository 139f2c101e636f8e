// A drawing as a link: its strokes stand after the #, which browsers send to nobody.

import { copyText } from "../base/clipboard.js";
import { decodeStrokes, encodeStrokes } from "./strokes.js";

const KEY = "#ink=";

/** @returns {Stroke[] | null | undefined} the strokes in the page's address; null where they are damaged, undefined where there are none */
export function linkedStrokes() {
  return location.hash.startsWith(KEY) ? decodeStrokes(location.hash.slice(KEY.length)) : undefined;
}

/**
 * Copies a link that opens the page with this drawing; it stands in the page's address as well.
 *
 * @param {Stroke[]} strokes
 * @returns {Promise<string>} what to say of it
 */
export async function share(strokes) {
  history.replaceState({ isOwnLink: true }, "", KEY + encodeStrokes(strokes));
  return (await copyText(location.href)) ? "Link copied" : "The link is in the address bar";
}

/** @returns {boolean} whether the link in the address was made here: to come back to it must not undo what was drawn since */
export function isOwnLink() {
  return history.state?.isOwnLink === true;
}

/** Another drawing is on the sheet: the address would bring back the old one. */
export function forgetLink() {
  if (location.hash.startsWith(KEY)) history.replaceState(null, "", location.pathname + location.search);
}
