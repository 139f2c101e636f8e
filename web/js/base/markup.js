// Makes elements.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Record<string, any>} Attributes names with `on` are listeners; false and null are skipped
 * @typedef {Node | string | null | undefined | false} Child null, undefined and false are skipped
 */

/**
 * Make an element. Strings become text, never HTML.
 *
 * @template {string} T
 * @param {T} tag the element's name, with classes after dots: `p.note`
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {ElementOf<T>}
 */
export function html(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  return /** @type {ElementOf<T>} */ (fill(element, attributes, children));
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Make a bar.
 *
 * @param {number} share 0 to 1
 * @returns {HTMLElement}
 */
export function track(share) {
  const fill = html("span.fill");
  setShare(fill, share);
  return html("span.track", { "aria-hidden": "true" }, fill);
}

/**
 * @param {HTMLElement} fill of a bar
 * @param {number} share 0 to 1
 */
export function setShare(fill, share) {
  fill.style.setProperty("--share", String(share));
}

/**
 * @param {string} what is missing
 * @returns {HTMLElement}
 */
export function missingNote(what) {
  return html("p.untold", {}, `This model file does not tell ${what}.`);
}

/**
 * Make a folded table with the figures of a chart. The first cell of a row is its head.
 *
 * @param {string} title
 * @param {string[]} head
 * @param {string[][]} rows
 * @returns {HTMLDetailsElement}
 */
export function foldedTable(title, head, rows) {
  const body = rows.map(([first, ...cells]) =>
    html("tr", {}, html("th", { scope: "row" }, first), ...cells.map((cell) => html("td", {}, cell))),
  );
  const table = html("table.plain", {},
    html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))),
    html("tbody", {}, ...body),
  );
  const scroller = html("div.scroller", { role: "group", "aria-label": title, tabindex: 0 }, table);
  return html("details.folded", {}, html("summary", {}, title), scroller);
}

/**
 * @template {Element} Kind
 * @param {Kind} element
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {Kind}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}
