// What most demos do: the whole canvas squeezed to the grid and given to the same network, beside what the steps make.

import { byId } from "../base/dom.js";
import { chance, interval } from "../base/figures.js";
import { paintGrey, wipe } from "../base/grid.js";
import { Newest } from "../service/latest.js";
import { GRID, bytesOf, inkOf, squeeze } from "../base/pixels.js";
import { askNetwork } from "../service/predict.js";
import { tellProblem } from "../service/problems.js";
import { tellReading } from "./sentences.js";

/** @typedef {NetworkAsk & {answer: Answer}} Pair the squeezed canvas, and the answer to the same ink */

const toggle = byId("squeeze", HTMLInputElement);
const panel = byId("squeeze-panel");
const ours = byId("ours-canvas", HTMLCanvasElement);
const theirs = byId("squeezed-canvas", HTMLCanvasElement);

/** @type {Newest<Pair, NetworkAnswer>} */
const newest = new Newest(askNetwork, { answer: showPair, error: showError });
/** @type {Answer | null} */
let asked = null;

/** @param {() => void} change runs when the comparison is wanted, so that the newest ink is shown at once */
export function follow(change) {
  const turn = () => {
    panel.hidden = !toggle.checked;
    if (toggle.checked) change();
    else showBlank();
  };
  toggle.addEventListener("change", turn);
  // A reloaded page keeps the switch as it was.
  turn();
}

/** @param {Record<string, StepAccuracy> | undefined} steps */
export function showCard(steps) {
  const { all, squeezed } = steps ?? {};
  byId("squeeze-cost").textContent =
    all && squeezed
      ? `On unseen writers’ pen strokes: ${tellAccuracy(all)} right with the six steps, ${tellAccuracy(squeezed)} squeezed.`
      : "";
}

/**
 * Asks for the comparison, if it is on and this answer has not been asked about.
 *
 * @param {import("../sheet/source.js").Source | null} source
 * @param {Answer} answer
 */
export function show(source, answer) {
  if (!toggle.checked || !source || asked === answer) return;
  asked = answer;
  newest.ask({ grids: squeeze(inkOf(source.grey, source.width, source.height), source.width, source.height), answer });
}

/** Nothing is drawn, or nothing is compared. */
export function showBlank() {
  newest.cancel();
  asked = null;
  showNothing("–", "");
}

/**
 * @param {NetworkAnswer} network
 * @param {Pair} pair
 */
function showPair({ answers: [reading] }, { grids, answer }) {
  paintGrey(ours, bytesOf(answer.normalized), GRID);
  paintGrey(theirs, grids, GRID);
  tell(`Read as ${tellReading(answer)}`, `Read as ${tellReading(reading)}`, "");
}

/**
 * @param {import("../service/predict.js").ServiceError} error
 * @param {Pair} _
 * @param {boolean} isAskedAgain by itself
 */
function showError(error, _, isAskedAgain) {
  if (!isAskedAgain) asked = null;
  showNothing("", tellProblem(error, false, isAskedAgain));
}

/**
 * @param {string} reading
 * @param {string} note
 */
function showNothing(reading, note) {
  for (const canvas of [ours, theirs]) wipe(canvas);
  tell(reading, reading, note);
}

/**
 * @param {string} our
 * @param {string} their
 * @param {string} note
 */
function tell(our, their, note) {
  byId("ours-reading").textContent = our;
  byId("squeezed-reading").textContent = their;
  byId("squeeze-note").textContent = note;
}

/**
 * @param {StepAccuracy} step
 * @returns {string}
 */
function tellAccuracy({ accuracy, accuracy_low, accuracy_high }) {
  return `${chance(accuracy)} (${interval(accuracy_low, accuracy_high, 1)})`;
}
