// Elements that the page of the API has many of.

import { html } from "../base/markup.js";
import { copyBy } from "../base/clipboard.js";

/**
 * @param {string} text
 * @returns {(Node | string)[]} the text, with its `code` between backticks as elements
 */
export function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? html("code", {}, part) : part));
}

/**
 * @param {string} label
 * @param {() => string} read
 * @returns {HTMLElement} a button that copies what `read` returns when it is pressed
 */
export function copyButton(label, read) {
  const copy = () => copyBy(button, read());
  const button = html("button.button.small.copy", { type: "button", "aria-label": label, onclick: copy }, "Copy");
  return button;
}
