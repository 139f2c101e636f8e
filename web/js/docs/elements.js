// Elements from text alone: nothing that the document says is ever read as HTML.

import { copyText } from "../clipboard.js";
import { byId } from "../dom.js";

/**
 * @template {string} T
 * @param {T} tag the element's name, with classes after dots: `p.note`
 * @param {Record<string, any>} attributes set as attributes; those that start with `on` as listeners; false and null are left out
 * @param {...(Node | string | null | undefined | false | "")} children left out where they are none
 * @returns {ElementOf<T>}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return /** @type {ElementOf<T>} */ (element);
}

/**
 * @param {string} text
 * @returns {(Node | string)[]} the text, with its `code` between backticks as elements
 */
export function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
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
  const button = h("button.button.small.copy", { type: "button", "aria-label": label, onclick: copy }, "Copy");
  async function copy() {
    const isCopied = await copyText(read());
    button.textContent = isCopied ? "Copied" : "Not copied";
    speak(isCopied ? "Copied" : "The browser does not let the page copy.");
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
  return button;
}
