// What most demos do: the whole canvas squeezed to the grid and given to the same network, beside what the steps make.

import { byId } from "./dom.js";
import { paintGrey, wipe } from "./grid.js";
import { NewestAsker } from "./newest.js";
import { GRID, bytesOf, inkOf, squeeze } from "./pixels.js";
import { percent, tellReading } from "./story.js";

/** @typedef {{grid: Uint8Array, answer: Answer}} Pair the squeezed canvas, and the answer to the same ink */

const toggle = byId("squeeze", HTMLInputElement);
const panel = byId("squeeze-panel");
const ours = byId("ours-canvas", HTMLCanvasElement);
const theirs = byId("squeezed-canvas", HTMLCanvasElement);

/** @type {NewestAsker<Pair>} */
const asker = new NewestAsker({ answer: showPair, error: showError });
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
      ? `On unseen writers’ pen strokes: ${interval(all)} right with the six steps, ${interval(squeezed)} squeezed.`
      : "";
}

/**
 * Asks for the comparison, if it is on and this answer has not been asked about.
 *
 * @param {import("./source.js").Source | null} source
 * @param {Answer} answer
 */
export function show(source, answer) {
  if (!toggle.checked || !source || asked === answer) return;
  asked = answer;
  const grid = squeeze(inkOf(source.grey, source.width, source.height), source.width, source.height);
  asker.ask({ grids: grid, about: { grid, answer } });
}

/** Nothing is drawn, or nothing is compared. */
export function showBlank() {
  asked = null;
  asker.cancel();
  for (const canvas of [ours, theirs]) wipe(canvas);
  tell("–", "–", "");
}

/**
 * @param {NetworkAnswer} network
 * @param {Pair} pair
 */
function showPair({ answers: [reading] }, { grid, answer }) {
  paintGrey(ours, bytesOf(answer.normalized), GRID);
  paintGrey(theirs, grid, GRID);
  tell(`Read as ${tellReading(answer)}`, `Read as ${tellReading(reading)}`, "");
}

/** @param {Error} error */
function showError({ message }) {
  showBlank();
  tell("", "", message);
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
function interval({ accuracy, accuracy_low, accuracy_high }) {
  return `${percent(accuracy)} (${percent(accuracy_low)} to ${percent(accuracy_high)})`;
}
