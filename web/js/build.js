// Makes elements.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} attributes a false one is left out
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} attributes a false one is left out
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * What stands where the model file does not tell something.
 *
 * @param {string} what
 * @returns {HTMLElement}
 */
export function untold(what) {
  return html("p", { class: "untold" }, `This model file does not tell ${what}.`);
}

/**
 * A table that opens on demand, beside a picture of the same figures. The first cell of a row is its head.
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
  const table = html(
    "table",
    { class: "plain" },
    html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))),
    html("tbody", {}, ...body),
  );
  const scroller = html("div", { class: "scroller", role: "group", "aria-label": title, tabindex: 0 }, table);
  return html("details", { class: "folded" }, html("summary", {}, title), scroller);
}

/**
 * @template {Element} Kind
 * @param {Kind} element
 * @param {Record<string, string | number | boolean>} attributes
 * @param {(Node | string)[]} children
 * @returns {Kind}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}
