// What the network sees: what the answer hangs on, and its layers' feature maps. It costs the service a run for each
// blanked copy of the ink, so that it is asked for at the end of a stroke, and only while somebody looks.

import { byId } from "../base/dom.js";
import * as hold from "./heatmap.js";
import * as layers from "./layers.js";
import { Newest } from "../service/latest.js";
import { blank, windowsOf } from "./occlusion.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { askNetwork } from "../service/predict.js";
import { tellProblem } from "../service/problems.js";

/** @typedef {NetworkAsk & import("./heatmap.js").Asked} Asked */

const inside = byId("inside", HTMLDetailsElement);
const body = byId("inside-body");
const note = byId("inside-note");

/** @type {Newest<Asked, NetworkAnswer>} */
const questions = new Newest(askNetwork, { answer: show, error: showError });
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

/** @param {Card} card its words for each layer are shown; an earlier card has none */
export function showCard(card) {
  layers.showCard(card);
  // Another model sees something else in the same ink.
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

/** Nothing is drawn. */
export function showBlank() {
  newest = asked = null;
  questions.cancel();
  showNote("Draw a digit first.");
}

/** The service is there again: what it was asked in vain is asked once more. */
export function showBack() {
  askSoon();
}

function askSoon() {
  if (!newest || newest === asked || !inside.open || !isInView) return;
  asked = newest;
  const normalized = bytesOf(newest.normalized);
  const places = windowsOf(normalized);
  const grids = new Uint8Array((1 + places.length) * GRID * GRID);
  grids.set(normalized);
  grids.set(blank(normalized, places), GRID * GRID);
  questions.ask({ grids, layers: true, normalized, places });
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
  hold.show(about, whole, without);
  layers.show(about.normalized, maps ?? [], whole);
}

/**
 * @param {import("../service/predict.js").ServiceError} error
 * @param {Asked} _
 * @param {boolean} isAskedAgain by itself
 */
function showError(error, _, isAskedAgain) {
  if (!isAskedAgain) asked = null;
  showNote(tellProblem(error, false, isAskedAgain));
}

/** @param {string} text in place of what was shown */
function showNote(text) {
  note.textContent = text;
  note.hidden = false;
  body.hidden = true;
}
