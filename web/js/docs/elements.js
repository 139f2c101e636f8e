// Elements for the page of the API.

import { html } from "../base/markup.js";
import { copyBy } from "../base/clipboard.js";

/**
 * @param {string} text
 * @returns {(Node | string)[]} the text with `code` elements for backticks
 */
export function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? html("code", {}, part) : part));
}

/**
 * @param {string} label
 * @param {() => string} read
 * @returns {HTMLElement} a button that copies the result of `read`
 */
export function copyButton(label, read) {
  const button = html("button.button.small.copy", { type: "button", "aria-label": label, onclick: () => copyBy(button, read()) }, "Copy");
  return button;
}
