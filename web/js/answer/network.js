// "Look inside": the heat map of the ink, and the feature maps of the layers. The network runs once for each blanked
// copy of the ink, so the page asks only after a stroke has ended, and only while the part is open and in view.

import { byId } from "../base/dom.js";
import * as heatmap from "./heatmap.js";
import * as layers from "./layers.js";
import { LatestRequest } from "../service/latest.js";
import { blank, windowsOf } from "./occlusion.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { askNetwork } from "../service/predict.js";
import { errorText } from "../service/problems.js";

/** @typedef {NetworkAsk & import("./heatmap.js").Asked} Asked */

const inside = byId("inside", HTMLDetailsElement);
const body = byId("inside-body");
const note = byId("inside-note");

/** @type {LatestRequest<Asked, NetworkAnswer>} */
const requests = new LatestRequest(askNetwork, { answer: show, error: showError });
/** @type {Answer | null} */
let newest = null;
/** @type {Answer | null} */
let asked = null;
let isInView = false;

inside.addEventListener("toggle", askSoon);
new IntersectionObserver((entries) => {
  isInView = entries.some((entry) => entry.isIntersecting);
  askSoon();
}).observe(inside);

export const section = "network";
/** @type {(keyof Card)[]} */
export const needs = ["network"];

/** @param {Card} card */
export function showCard(card) {
  layers.showCard(card);
  // Another model has other feature maps.
  if (asked && asked.model_version !== card.version) asked = null;
}

/**
 * @param {Answer} answer
 * @param {Drawing} drawing
 */
export function showAnswer(answer, { isDrawing }) {
  if (isDrawing) return;
  newest = answer.state === "blank" ? null : answer;
  if (newest) askSoon();
  else showBlank();
}

export function showBlank() {
  newest = asked = null;
  requests.cancel();
  showNote("Draw a digit first.");
}

/** Ask again for what failed. */
export const showBack = askSoon;

function askSoon() {
  if (!newest || newest === asked || !inside.open || !isInView) return;
  asked = newest;
  const normalized = bytesOf(newest.normalized);
  const places = windowsOf(normalized);
  const grids = new Uint8Array((1 + places.length) * GRID * GRID);
  grids.set(normalized);
  grids.set(blank(normalized, places), GRID * GRID);
  requests.ask({ grids, layers: true, normalized, places });
}

/**
 * @param {NetworkAnswer} answer
 * @param {Asked} about
 */
function show({ answers: [whole, ...without], layers: maps }, about) {
  const times = `${about.places.length} more times`;
  byId("inside-price").textContent = `it had the service read your ink ${times}, without one square of it at a time`;
  note.hidden = true;
  body.hidden = false;
  heatmap.show(about, whole, without);
  layers.show(about.normalized, maps ?? [], whole);
}

/**
 * @param {import("../service/predict.js").ServiceError} error
 * @param {Asked} _
 * @param {boolean} isAskedAgain whether the request is repeated automatically
 */
function showError(error, _, isAskedAgain) {
  if (!isAskedAgain) asked = null;
  showNote(errorText(error, false, isAskedAgain));
}

/** @param {string} text replaces the explanation */
function showNote(text) {
  note.textContent = text;
  note.hidden = false;
  body.hidden = true;
}
