// A comparison: the same network reads the whole canvas, resized to the grid without the preprocessing.

import { byId } from "../base/dom.js";
import { chance, interval } from "../base/figures.js";
import { paintGrey, wipe } from "../base/grid.js";
import { LatestRequest } from "../service/latest.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { askNetwork } from "../local/choice.js";
import { errorText } from "../service/problems.js";
import { readingText } from "./sentences.js";

/** @typedef {NetworkAsk & {answer: Answer}} Pair the resized canvas, and the answer to the same ink */

const toggle = byId("squeeze", HTMLInputElement);
const panel = byId("squeeze-panel");
const ours = byId("ours-canvas", HTMLCanvasElement);
const theirs = byId("squeezed-canvas", HTMLCanvasElement);

/** @type {LatestRequest<Pair, NetworkAnswer>} */
const requests = new LatestRequest(askNetwork, { answer: showPair, error: showError });
/** @type {Answer | null} */
let asked = null;

/** @param {() => void} show runs when the comparison is switched on */
export function onToggle(show) {
  const turn = () => {
    panel.hidden = !toggle.checked;
    if (toggle.checked) show();
    else showBlank();
  };
  toggle.addEventListener("change", turn);
  // A reloaded page keeps the state of the switch.
  turn();
}

/** @param {Record<string, StepAccuracy>} steps */
export function showCard({ all, squeezed }) {
  byId("squeeze-cost").textContent = all
    ? `On unseen writers’ pen strokes: ${accuracyText(all)} right with the six steps, ${accuracyText(squeezed)} squeezed.`
    : "";
}

/**
 * Request the comparison, if it is on and this answer has none yet.
 *
 * @param {import("./source.js").Source | null} source
 * @param {Answer} answer
 */
export function show(source, answer) {
  if (!toggle.checked || !source || asked === answer) return;
  asked = answer;
  requests.ask({ grids: source.squeezed(), answer });
}

export function showBlank() {
  requests.cancel();
  asked = null;
  clear("–", "");
}

/**
 * @param {NetworkAnswer} network
 * @param {Pair} pair
 */
function showPair({ answers: [reading] }, { grids, answer }) {
  paintGrey(ours, bytesOf(answer.normalized), GRID);
  paintGrey(theirs, grids, GRID);
  showReadings(`Read as ${readingText(answer)}`, `Read as ${readingText(reading)}`, "");
}

/**
 * @param {import("../service/predict.js").ServiceError} error
 * @param {Pair} _
 * @param {boolean} isAskedAgain whether the request is repeated automatically
 */
function showError(error, _, isAskedAgain) {
  if (!isAskedAgain) asked = null;
  clear("", errorText(error, false, isAskedAgain));
}

/**
 * @param {string} reading
 * @param {string} note
 */
function clear(reading, note) {
  for (const canvas of [ours, theirs]) wipe(canvas);
  showReadings(reading, reading, note);
}

/**
 * @param {string} our
 * @param {string} their
 * @param {string} note
 */
function showReadings(our, their, note) {
  byId("ours-reading").textContent = our;
  byId("squeezed-reading").textContent = their;
  byId("squeeze-note").textContent = note;
}

/**
 * @param {StepAccuracy} step
 * @returns {string}
 */
function accuracyText({ accuracy, accuracy_low, accuracy_high }) {
  return `${chance(accuracy)} (${interval(accuracy_low, accuracy_high, 1)})`;
}
