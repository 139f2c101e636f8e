// One route: what it takes, what it answers, how to ask.

import { curl } from "./curl.js";
import { copyButton, h, prose } from "./elements.js";
import { limits, resolve, schemaTree, typeLabel } from "./schema.js";
import { tryIt } from "./try.js";

/**
 * @param {OpenApi} root
 * @returns {Operation[]} the operations of the document in its order, their parameters resolved
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
 * @returns {HTMLElement} the route, closed
 */
export function operationCard(root, operation) {
  return h("details.operation", { id: operation.operationId },
    h("summary", {},
      methodBadge(operation),
      h("h3", {}, pathText(operation.path)),
      h("span.summary", {}, operation.summary),
    ),
    contents(root, operation),
  );
}

/**
 * @param {Operation} operation
 * @returns {HTMLElement} GET or POST, each in its colour
 */
export function methodBadge({ method }) {
  return h("span.method", { "data-method": method }, method);
}

/**
 * A long path breaks after a slash, on a narrow screen.
 *
 * @param {string} path
 * @returns {HTMLElement}
 */
function pathText(path) {
  return h("code.path", {}, ...path.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function contents(root, operation) {
  return h("div.inside", {},
    operation.description && h("p", {}, ...prose(operation.description)),
    operation.security && h("p", {}, "From this machine, or with ", h("code", {}, "Authorization: Bearer <token>"), "."),
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
  return content && h("section", {}, h("h4", {}, title), content);
}

/**
 * A choice of the body's forms, each with its curl command.
 *
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function requestForms(root, operation) {
  const forms = Object.entries(operation.requestBody?.content ?? {});
  if (forms.length === 0) return command(curl(operation));
  const shown = h("div.form");
  const choice = h("select", { id: `${operation.operationId}-form`, onchange: show });
  choice.append(...forms.map(([type]) => h("option", {}, type)));
  function show() {
    const [type, { schema, example }] = forms[choice.selectedIndex];
    const tree = resolve(root, schema).properties ? [fold("Schema", schemaTree(root, schema))] : [];
    shown.replaceChildren(command(curl(operation, type, example)), ...tree);
  }
  show();
  return h("div", {}, h("p.choice", {}, h("label", { for: choice.id }, "Body as "), choice), shown);
}

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
function command(text) {
  const code = h("code", {}, text);
  return h("div.command", {}, h("pre", {}, code), copyButton("Copy the curl command", () => text));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement | null}
 */
function parameterList(root, { parameters }) {
  if (parameters.length === 0) return null;
  return h("ul.members", {}, ...parameters.map(({ name, in: where, schema, required, description }) =>
    h("li", {},
      h("p.member", {},
        h("code.key", {}, name),
        typeLabel(root, schema),
        h("span.optional", {}, required ? `in the ${where}` : `in the ${where}, optional`),
        limits(root, schema),
      ),
      description && h("p.note", {}, ...prose(description)),
    ),
  ));
}

/**
 * @param {OpenApi} root
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function responseList(root, { responses }) {
  return h("ul.responses", {}, ...Object.entries(responses).map(([status, node]) => responseItem(root, status, resolve(root, node))));
}

/**
 * @param {OpenApi} root
 * @param {string} status
 * @param {ResponseObject} response
 * @returns {HTMLElement}
 */
function responseItem(root, status, { description, content = {}, headers = {} }) {
  const head = [h("span.status", { "data-class": status[0] }, status), h("span", {}, ...prose(description))];
  const bodies = Object.entries(content).map(([type, { schema }]) =>
    h("div", {}, h("p.note", {}, h("code", {}, type)), schemaTree(root, schema)),
  );
  const names = Object.entries(headers).map(([name, header]) =>
    h("p.note", {}, h("code", {}, name), ` ${header.description}`),
  );
  if (bodies.length + names.length === 0) return h("li.plain", {}, ...head);
  return h("li", {}, h("details", {}, h("summary", {}, ...head), ...bodies, ...names));
}

/**
 * @param {string} title
 * @param {HTMLElement | null} content
 * @returns {HTMLElement}
 */
function fold(title, content) {
  return h("details.fold", {}, h("summary", {}, title), content);
}
