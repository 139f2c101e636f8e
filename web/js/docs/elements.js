// Elements that the page of the API has many of.

import { html } from "../build.js";
import { copyText } from "../clipboard.js";
import { byId } from "../dom.js";

/**
 * @param {string} text
 * @returns {(Node | string)[]} the text, with its `code` between backticks as elements
 */
export function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? html("code", {}, part) : part));
}

/**
 * Has a screen reader say a sentence.
 *
 * @param {string} text
 */
export function speak(text) {
  byId("speech").textContent = text;
}

/**
 * @param {string} label
 * @param {() => string} read
 * @returns {HTMLElement} a button that copies what `read` returns when it is pressed
 */
export function copyButton(label, read) {
  const button = html("button.button.small.copy", { type: "button", "aria-label": label, onclick: copy }, "Copy");
  async function copy() {
    const isCopied = await copyText(read());
    button.textContent = isCopied ? "Copied" : "Not copied";
    speak(isCopied ? "Copied" : "The browser does not let the page copy.");
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
  return button;
}
