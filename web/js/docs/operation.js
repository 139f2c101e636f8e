// One operation: its requests, parameters and responses.

import { html } from "../base/markup.js";
import { curl } from "./curl.js";
import { copyButton, prose } from "./elements.js";
import { limits, resolve, schemaTree, typeLabel } from "./schema.js";
import { tryIt } from "./try.js";

/**
 * @param {OpenApi} root
 * @returns {Operation[]} the operations in the order of the document, with resolved parameters
 */
export function operationsOf(root) {
  return Object.entries(root.paths).flatMap(([path, item]) =>
    Object.entries({ GET: item.get, POST: item.post }).flatMap(([method, operation]) => {
      if (!operation) return [];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((node) => resolve(root, node));
      return [{ ...operation, method, path, parameters }];
    }),
  );
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
export function operationCard(root, operation) {
  return html("details.operation", { id: operation.operationId },
    html("summary", {},
      methodBadge(operation),
      html("h3", {}, pathText(operation.path)),
      html("span.summary", {}, operation.summary),
    ),
    contents(root, operation),
  );
}

/**
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
export function methodBadge({ method }) {
  return html("span.method", { "data-method": method }, method);
}

/**
 * Format a path, with line breaks after slashes.
 *
 * @param {string} path
 * @returns {HTMLElement}
 */
function pathText(path) {
  return html("code.path", {}, ...path.split(/(?<=\/)/).flatMap((part) => [part, html("wbr")]));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function contents(root, operation) {
  return html("div.inside", {},
    operation.description && html("p", {}, ...prose(operation.description)),
    operation.security && html("p", {}, "From this machine, or with ", html("code", {}, "Authorization: Bearer <token>"), "."),
    tryIt(operation),
    section("Request", requestForms(root, operation)),
    section("Parameters", parameterList(root, operation)),
    section("Responses", responseList(root, operation)),
  );
}

/**
 * @param {string} title
 * @param {HTMLElement | null} content
 * @returns {HTMLElement | null}
 */
function section(title, content) {
  return content && html("section", {}, html("h4", {}, title), content);
}

/**
 * Make a choice of content types, each with its curl command.
 *
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function requestForms(root, operation) {
  const forms = Object.entries(operation.requestBody?.content ?? {});
  if (forms.length === 0) return command(curl(operation));
  const shown = html("div.form");
  const choice = html("select", { id: `${operation.operationId}-form`, onchange: show });
  choice.append(...forms.map(([type]) => html("option", {}, type)));
  function show() {
    const [type, { schema, example }] = forms[choice.selectedIndex];
    const tree = resolve(root, schema).properties ? [fold("Schema", schemaTree(root, schema))] : [];
    shown.replaceChildren(command(curl(operation, type, example)), ...tree);
  }
  show();
  return html("div", {}, html("p.choice", {}, html("label", { for: choice.id }, "Body as "), choice), shown);
}

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
function command(text) {
  const code = html("code", {}, text);
  return html("div.command", {}, html("pre", {}, code), copyButton("Copy the curl command", () => text));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement | null}
 */
function parameterList(root, { parameters }) {
  if (parameters.length === 0) return null;
  return html("ul.members", {}, ...parameters.map(({ name, in: where, schema, required, description }) =>
    html("li", {},
      html("p.member", {},
        html("code.key", {}, name),
        typeLabel(root, schema),
        html("span.optional", {}, required ? `in the ${where}` : `in the ${where}, optional`),
        limits(root, schema),
      ),
      description && html("p.note", {}, ...prose(description)),
    ),
  ));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function responseList(root, { responses }) {
  return html("ul.responses", {}, ...Object.entries(responses).map(([status, node]) => responseItem(root, status, resolve(root, node))));
}

/**
 * @param {OpenApi} root
 * @param {string} status
 * @param {ResponseObject} response
 * @returns {HTMLElement}
 */
function responseItem(root, status, { description, content = {}, headers = {} }) {
  const head = [html("span.status", { "data-class": status[0] }, status), html("span", {}, ...prose(description))];
  const bodies = Object.entries(content).map(([type, { schema }]) =>
    html("div", {}, html("p.note", {}, html("code", {}, type)), schemaTree(root, schema)),
  );
  const names = Object.entries(headers).map(([name, header]) =>
    html("p.note", {}, html("code", {}, name), ` ${header.description}`),
  );
  if (bodies.length + names.length === 0) return html("li.plain", {}, ...head);
  return html("li", {}, html("details", {}, html("summary", {}, ...head), ...bodies, ...names));
}

/**
 * @param {string} title
 * @param {HTMLElement | null} content
 * @returns {HTMLElement}
 */
function fold(title, content) {
  return html("details.fold", {}, html("summary", {}, title), content);
}
