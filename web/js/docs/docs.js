// The page /docs, made from openapi.json.

import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { prose } from "./elements.js";
import { methodBadge, operationCard, operationsOf } from "./operation.js";

/** The operation that is open at first. */
const FIRST = "predict";

async function load() {
  /** @type {OpenApi} */
  let root;
  try {
    const response = await fetch("openapi.json");
    if (!response.ok) throw new Error(`The service answered ${response.status}`);
    root = await response.json();
  } catch {
    byId("loading").textContent = "The service cannot be reached. Load the page anew.";
    return;
  }
  byId("loading").remove();
  show(root);
}

/** @param {OpenApi} root */
function show(root) {
  byId("version").textContent = ` · ${root.info.version} · OpenAPI ${root.openapi}`;
  byId("about").append(...root.info.description.split("\n\n").map(paragraph));
  const operations = operationsOf(root);
  for (const tag of root.tags) {
    const own = operations.filter(({ tags }) => tags.includes(tag.name));
    byId("routes").append(group(root, tag, own));
    byId("contents").append(contents(tag, own));
  }
  open(addressed() || FIRST);
  window.addEventListener("hashchange", () => open(addressed()));
}

/**
 * @param {string} text a paragraph, or a list whose lines begin with "- "
 * @returns {HTMLElement}
 */
function paragraph(text) {
  if (!text.startsWith("- ")) return html("p", {}, ...prose(text));
  return html("ul.members", {}, ...text.slice(2).split("\n- ").map((item) => html("li", {}, ...prose(item))));
}

/**
 * @param {OpenApi} root
 * @param {Tag} tag
 * @param {Operation[]} operations
 * @returns {HTMLElement}
 */
function group(root, { name, description }, operations) {
  const id = slug(name);
  return html("section.group", { "aria-labelledby": id },
    html("h2", { id }, name),
    html("p.note", {}, ...prose(description)),
    ...operations.map((operation) => operationCard(root, operation)),
  );
}

/**
 * @param {Tag} tag
 * @param {Operation[]} operations
 * @returns {HTMLElement}
 */
function contents({ name }, operations) {
  const links = operations.map((operation) =>
    html("li", {}, html("a", { href: `#${operation.operationId}` }, methodBadge(operation), html("span", {}, operation.summary))),
  );
  return html("div", {}, html("p.tag", {}, html("a", { href: `#${slug(name)}` }, name)), html("ul", {}, ...links));
}

/** @returns {string} the id in the page's address; empty if it is malformed */
function addressed() {
  try {
    return decodeURIComponent(window.location.hash.slice(1));
  } catch {
    return "";
  }
}

/** @param {string} id */
function open(id) {
  const target = document.getElementById(id);
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  if (window.location.hash) target.scrollIntoView();
}

/**
 * Return the id of a tag, with a prefix because operations have ids too.
 *
 * @param {string} name
 * @returns {string}
 */
function slug(name) {
  return `tag-${name.toLowerCase().replaceAll(" ", "-")}`;
}

load();
