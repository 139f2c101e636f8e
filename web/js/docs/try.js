// "Try it": sends a request and shows the response.

import { html } from "../base/markup.js";
import { DrawingCanvas } from "../sheet/canvas.js";
import { brief } from "../sheet/strokes.js";
import { fileRequest, strokesRequest } from "../service/predict.js";
import { say } from "../base/speech.js";
import { address } from "./curl.js";

/** Limits for a whole body, and for one text in it. */
const MAX_SHOWN_CHARACTERS = 20_000;
const MAX_SHOWN_TEXT = 400;

/**
 * A drawing of a 7, to send without drawing.
 *
 * @type {Stroke[]}
 */
const SAMPLE = [[[0.3, 0.27], [0.5, 0.26], [0.69, 0.26], [0.62, 0.42], [0.54, 0.6], [0.47, 0.8]]];

/**
 * @param {Operation} operation
 * @returns {HTMLElement | null} a form for a GET or for POST /api/predict; null for other operations
 */
export function tryIt(operation) {
  if (operation.operationId === "predict") return pictureForm();
  return operation.method === "GET" ? valuesForm(operation) : null;
}

/**
 * @param {Operation} operation
 * @returns {HTMLElement}
 */
function valuesForm({ operationId, path, parameters, method }) {
  const inputs = parameters.map(({ name, example = "" }) => html("input", { id: `${operationId}-${name}`, name, value: example, required: true }));
  const fields = inputs.map((input) => html("p.field", {}, html("label", { for: input.id }, input.name), input));
  return form(fields, [], () => ({
    url: address(path, Object.fromEntries(inputs.map(({ name, value }) => [name, value]))),
    method,
  }));
}

/** @returns {HTMLElement} */
function pictureForm() {
  const canvas = html("canvas", { role: "img", "aria-label": "Drawing area: draw one digit with a mouse, a pen or a finger" });
  let isSample = true;
  const sheet = new DrawingCanvas(canvas, { start: () => isSample && clear(), ink: () => choose(null) });
  const name = html("span.note");
  const input = html("input.unseen", { type: "file", id: "try-file", accept: "image/*", onchange: () => choose(input.files?.[0] ?? null) });
  /** @type {File | null} */
  let file = null;
  /** @param {File | null} chosen */
  function choose(chosen) {
    file = chosen;
    name.textContent = chosen ? chosen.name : "";
    canvas.classList.toggle("aside", chosen !== null);
    if (!chosen) input.value = "";
  }
  function clear() {
    isSample = false;
    sheet.clear();
    choose(null);
  }
  sheet.show(SAMPLE);
  const tools = [
    html("button.button.small", { type: "button", onclick: clear }, "Clear"),
    html("span.file", {}, input, html("label.button.small", { for: input.id }, "Choose a file")),
    name,
  ];
  return form([canvas], tools, () => ({
    ...(file ? fileRequest(file) : strokesRequest(brief(sheet.strokes))),
    method: "POST",
  }));
}

/**
 * Make a form that sends a request.
 *
 * @param {HTMLElement[]} fields
 * @param {HTMLElement[]} tools
 * @param {() => Asked} request runs at submission
 * @returns {HTMLElement}
 */
function form(fields, tools, request) {
  const outcome = html("div.outcome", { hidden: true });
  const send = html("button.button.small.send", { type: "submit" }, "Send");
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (send.ariaDisabled === "true") return;
    // Not `disabled`, because a disabled button loses the keyboard focus.
    send.ariaDisabled = "true";
    try {
      outcome.replaceChildren(...(await exchange(request())));
      outcome.hidden = false;
    } finally {
      send.ariaDisabled = "false";
    }
  }
  return html("form.try", { onsubmit: submit }, html("h4", {}, "Try it"),
    html("div.bench", {}, ...fields, html("div.try-tools", {}, send, ...tools)), outcome);
}

/**
 * @param {Asked} asked
 * @returns {Promise<HTMLElement[]>} the response
 */
async function exchange({ url, ...options }) {
  const start = performance.now();
  let response, bytes;
  try {
    response = await fetch(url, { ...options, cache: "no-store" });
    bytes = await response.arrayBuffer();
  } catch {
    const orFile = options.body instanceof File ? ", or the file can no longer be read" : "";
    const problem = `The service cannot be reached${orFile}.`;
    say(problem);
    return [html("p.status", { "data-class": "5" }, problem)];
  }
  const roundTrip = `${(performance.now() - start).toFixed(1)} ms`;
  say(`Answer ${response.status}`);
  const timing = response.headers.get("Server-Timing");
  return [
    html("p.head", {},
      html("span.status", { "data-class": String(response.status)[0] }, `${response.status} ${response.statusText}`.trim()),
      html("span.note", {}, `round trip ${roundTrip}`),
    ),
    timing && html("p.note", {}, html("code", {}, `Server-Timing: ${timing}`)),
    bytes.byteLength > 0
      ? html("pre", { tabindex: 0, role: "region", "aria-label": "Body of the answer" }, html("code", {}, bodyText(response, bytes)))
      : html("p.note", {}, "The answer has no body; its status says it."),
  ].filter((element) => element instanceof HTMLElement);
}

/**
 * @param {Response} response
 * @param {ArrayBuffer} bytes
 * @returns {string}
 */
function bodyText(response, bytes) {
  const text = new TextDecoder().decode(bytes);
  const shown = response.headers.get("Content-Type")?.startsWith("application/json") ? indented(text) : text;
  return shown.length > MAX_SHOWN_CHARACTERS ? `${shown.slice(0, MAX_SHOWN_CHARACTERS)}…` : shown;
}

/**
 * Format JSON: lists of numbers on one line, and long texts shortened.
 *
 * @param {string} text
 * @returns {string}
 */
function indented(text) {
  /** @type {(key: string, value: unknown) => unknown} */
  const shorten = (_, value) =>
    typeof value === "string" && value.length > MAX_SHOWN_TEXT ? `${value.slice(0, 40)}… (${value.length} characters)` : value;
  return JSON.stringify(JSON.parse(text, shorten), null, 2)
    .replace(/\[[\s\d.,e+-]+\]/g, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"));
}
