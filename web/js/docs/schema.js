// JSON Schemas as readable trees.

import { html } from "../base/markup.js";
import { prose } from "./elements.js";

/**
 * @template {object} T
 * @param {OpenApi} root
 * @param {T | Reference} node
 * @returns {T} the target of a `{"$ref": "#/..."}`; other nodes unchanged
 */
export function resolve(root, node) {
  if (!("$ref" in node)) return node;
  const path = node.$ref.slice(2).split("/");
  return path.reduce((part, key) => part[key], /** @type {any} */ (root));
}

/**
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {HTMLElement} the type and description, and the members of an object or list
 */
export function schemaTree(root, schema) {
  return html("div.schema", {},
    html("p", {}, typeLabel(root, schema), limits(root, schema)),
    descriptionOf(root, schema),
    members(root, schema),
  );
}

/**
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {HTMLElement | undefined | ""}
 */
function descriptionOf(root, schema) {
  const { description } = valueOf(root, schema);
  return description && html("p.note", {}, ...prose(description));
}

/**
 * Return the schema of a nullable value.
 *
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {Schema}
 */
function valueOf(root, schema) {
  const node = resolve(root, schema);
  return node.anyOf?.map((part) => resolve(root, part)).find(({ type }) => type !== "null") ?? node;
}

/**
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {HTMLElement} a type such as "list of 10 numbers"
 */
export function typeLabel(root, schema) {
  return html("span.type", {}, typeText(root, schema));
}

/**
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {string}
 */
function typeText(root, schema) {
  const node = resolve(root, schema);
  if (node.anyOf) return node.anyOf.map((part) => typeText(root, part)).join(" or ");
  if (node.format === "binary") return "bytes";
  if (node.type === "array") return listText(root, node);
  return [node.type ?? (node.enum ? "string" : "anything")].flat().join(" or ");
}

/**
 * @param {OpenApi} root
 * @param {Schema} list
 * @returns {string}
 */
function listText(root, list) {
  const { minItems, maxItems } = list;
  const count = minItems && minItems === maxItems ? `${minItems} ` : "";
  const one = typeText(root, itemOf(list));
  if (count === "1 ") return `list of 1 ${one}`;
  // Inner lists are in the plural already.
  return `list of ${count}${one.startsWith("list of ") ? one.replace("list", "lists") : one.replace(/\w+(?= or |$)/g, "$&s")}`;
}

/**
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {HTMLElement | null} an enumeration, a range or a pattern
 */
export function limits(root, schema) {
  const { enum: values, minimum, maximum, pattern } = valueOf(root, schema);
  if (values) return html("span.limits", {}, ...values.flatMap((value) => [html("code", {}, String(value)), " "]));
  if (pattern) return html("span.limits", {}, html("code", {}, pattern));
  if (minimum != null && maximum != null) return html("span.limits", {}, `${minimum} to ${maximum}`);
  if (minimum != null) return html("span.limits", {}, `from ${minimum}`);
  return null;
}

/**
 * @param {Schema} list
 * @returns {Schema | Reference} schema of its items, or of the first
 */
function itemOf({ items, prefixItems = [] }) {
  return items || prefixItems[0] || {};
}

/**
 * Return the properties of an object, or of the objects in a list.
 *
 * @param {OpenApi} root
 * @param {Schema | Reference} schema
 * @returns {HTMLElement | null}
 */
function members(root, schema) {
  const node = valueOf(root, schema);
  if (node.type === "array") return members(root, itemOf(node));
  if (!node.properties) return null;
  const required = node.required ?? [];
  const entries = Object.entries(node.properties);
  return html("ul.members", {}, ...entries.map(([name, value]) => member(root, name, value, required.includes(name))));
}

/**
 * @param {OpenApi} root
 * @param {string} name
 * @param {Schema | Reference} schema
 * @param {boolean} isRequired
 * @returns {HTMLElement}
 */
function member(root, name, schema, isRequired) {
  return html("li", {},
    html("p.member", {},
      html("code.key", {}, name),
      typeLabel(root, schema),
      !isRequired && html("span.optional", {}, "optional"),
      limits(root, schema),
    ),
    descriptionOf(root, schema),
    members(root, schema),
  );
}
