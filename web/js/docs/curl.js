// The curl command of an operation, from the examples in the OpenAPI document.

/**
 * @param {string} path
 * @param {Record<string, string | number>} values of its `{parameters}`
 * @returns {URL}
 */
export function address(path, values = {}) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
  // Relative to this page, for proxies that add a prefix.
  return new URL(filled.slice(1), new URL(".", window.location.href));
}

/**
 * @param {Operation} operation
 * @param {string | null} type content type of the request; null without a body
 * @param {unknown} [example] of the body
 * @returns {string} a command for a shell
 */
export function curl({ method, path, parameters }, type = null, example) {
  const values = Object.fromEntries(parameters.map(({ name, example: value }) => [name, value ?? `{${name}}`]));
  const url = decodeURI(address(path, values).href);
  // Only raw bytes need the parameters; images and JSON contain their own size.
  const extra = type === "application/octet-stream" ? parameters : [];
  const query = extra.filter((parameter) => parameter.in === "query").map(({ name }) => `${name}=${values[name]}`);
  const headers = extra.filter((parameter) => parameter.in === "header").map(({ name }) => `${name}: ${values[name]}`);
  const target = quote(query.length > 0 ? `${url}?${query.join("&")}` : url);
  const body = bodyArguments(type, example);
  const start = method === "POST" && body.length === 0 ? `curl -X POST ${target}` : `curl ${target}`;
  return [start, ...headers.map((header) => `-H ${quote(header)}`), ...body].join(" \\\n  ");
}

/**
 * @param {string | null} type
 * @param {unknown} example
 * @returns {string[]}
 */
function bodyArguments(type, example) {
  if (type === null) return [];
  if (type === "multipart/form-data") return ["-F image=@digit.png"];
  const header = `-H ${quote(`Content-Type: ${type}`)}`;
  if (type === "application/json") return [header, `-d ${quote(JSON.stringify(example))}`];
  const file = type.startsWith("image/") ? `digit.${type.slice("image/".length)}` : "digit.raw";
  return [header, `--data-binary @${file}`];
}

/**
 * Quote a text for a shell, if necessary.
 *
 * @param {string} text
 * @returns {string}
 */
function quote(text) {
  return /^[\w:/.?=-]+$/.test(text) && !text.includes("?") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
