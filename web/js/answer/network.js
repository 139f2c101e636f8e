// What the network sees: some maps beside the sheet as the pen moves; and once the drawing is at rest, the part that
// decides, for which the network reads a copy of the ink without each part. "Look inside" shows what each part is worth.

import { byId } from "../base/dom.js";
import * as heatmap from "./heatmap.js";
import * as live from "./live.js";
import { LatestRequest } from "../service/latest.js";
import { blank, windowsOf } from "./occlusion.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { askNetwork } from "../local/choice.js";
import { errorText } from "../service/problems.js";

/** @typedef {NetworkAsk & import("./heatmap.js").Asked & {answer: Answer, startMs: number}} Asked */

/** A service or a machine that takes longer is asked only when the drawing is at rest. */
const SLOW_MS = 120;

/** Least pause between two requests while the pen is down, to send fewer bytes. */
const PAUSE_MS = 60;

const inside = byId("inside", HTMLDetailsElement);
const body = byId("inside-body");
const note = byId("inside-note");
const why = byId("why");

/** @type {LatestRequest<Asked, NetworkAnswer>} */
const requests = new LatestRequest(askNetwork, { answer: show, error: showError });
/** @type {Answer | null} */
let newest = null;
/** @type {Answer | null} the last one at rest that was asked about */
let asked = null;
/** @type {(() => void) | null} shows the newest explanation below "Look inside" */
let explain = null;
let isSlow = false;
let askedMs = 0;
let hasMaps = false;

inside.addEventListener("toggle", () => inside.open && explain?.());

/** @type {(keyof Card)[]} */
export const needs = ["network"];

/** @param {Card} card */
export function showCard(card) {
  live.showLayers(card.network.layers);
  const isFirst = !hasMaps;
  hasMaps = true;
  // The answer to the drawing of a link may come before the card.
  if (isFirst) showBack();
  // Another model has other feature maps.
  if (asked && asked.model_version !== card.version) asked = null;
}

/**
 * @param {Answer} answer
 * @param {Drawing} drawing
 */
export function showAnswer(answer, { isDrawing }) {
  if (!hasMaps) {
    newest = isDrawing ? null : answer;
    return;
  }
  if (answer.state === "blank") return showBlank();
  if (isDrawing) {
    forgetWhy();
    newest = null;
    // The maps of earlier ink would stand beside the new pixels.
    if (isSlow) live.wipeAll();
    else if (performance.now() - askedMs > PAUSE_MS) ask(answer, []);
  } else if (answer !== asked) {
    newest = asked = answer;
    ask(answer, windowsOf(bytesOf(answer.normalized)));
  }
}

export function showBlank() {
  newest = asked = explain = null;
  requests.cancel();
  live.wipeAll();
  forgetWhy();
  showNote("Draw a digit first.");
}

/** Ask again for what failed. */
export function showBack() {
  if (newest && !asked) showAnswer(newest, { strokes: null, file: null, isDrawing: false });
}

function forgetWhy() {
  live.darken();
  why.textContent = "";
}

/**
 * @param {Answer} answer
 * @param {import("./occlusion.js").Place[]} places of the windows to leave out
 */
function ask(answer, places) {
  const normalized = bytesOf(answer.normalized);
  const grids = new Uint8Array((1 + places.length) * GRID * GRID);
  grids.set(normalized);
  grids.set(blank(normalized, places), GRID * GRID);
  askedMs = performance.now();
  requests.ask({ grids, layers: true, normalized, places, answer, startMs: askedMs });
}

/**
 * @param {NetworkAnswer} network
 * @param {Asked} about
 */
function show({ answers: [whole, ...without], layers: maps = [] }, about) {
  const isFinal = about.places.length > 0;
  isSlow = performance.now() - about.startMs > SLOW_MS;
  live.show(maps, about.normalized, isFinal);
  if (!isFinal) return;
  const found = heatmap.findPart(about, whole, without);
  why.textContent = found.text;
  if (found.isDecisive) live.lightUp(about.answer, about.places[found.strongest]);
  explain = () => {
    byId("inside-price").textContent = `read your ink ${about.places.length} more times, each time without one square of it`;
    note.hidden = true;
    body.hidden = false;
    heatmap.show(about, whole, without, found);
  };
  if (inside.open) explain();
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
  explain = null;
  note.textContent = text;
  note.hidden = false;
  body.hidden = true;
}
