// Links with a drawing after the #, which browsers do not send to any server.

import { copyText } from "../base/clipboard.js";
import { decodeStrokes, encodeStrokes } from "./strokes.js";

const KEY = "#ink=";

/** @returns {Stroke[] | null | undefined} the strokes in the page's address; null if they are damaged, undefined if there are none */
export function linkedStrokes() {
  return location.hash.startsWith(KEY) ? decodeStrokes(location.hash.slice(KEY.length)) : undefined;
}

/**
 * Put a link with this drawing into the address bar, and share it, or copy it where the browser cannot share.
 *
 * @param {Stroke[]} strokes
 * @returns {Promise<string>} the result, for the visitor
 */
export async function share(strokes) {
  history.replaceState({ isOwnLink: true }, "", KEY + encodeStrokes(strokes));
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    try {
      await navigator.share({ title: document.title, url: location.href });
      return "Shared";
    } catch (error) {
      // The visitor closed the browser's dialog; otherwise the link is copied.
      if (error instanceof DOMException && error.name === "AbortError") return "The link is in the address bar";
    }
  }
  return (await copyText(location.href)) ? "Link copied" : "The link is in the address bar";
}

/** @returns {boolean} whether this page made the link; returning to it must not replace the current drawing */
export function isOwnLink() {
  return history.state?.isOwnLink === true;
}

/** Remove an outdated link from the address. */
export function forgetLink() {
  if (location.hash.startsWith(KEY)) history.replaceState(null, "", location.pathname + location.search);
}
