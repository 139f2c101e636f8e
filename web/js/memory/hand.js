// The visitor's hand: remembers corrected and taught drawings, and takes them into account.

import { className } from "../base/classes.js";
import { byId } from "../base/dom.js";
import { say } from "../base/speech.js";
import { predict } from "../local/choice.js";
import { ServiceError, strokesRequest } from "../service/predict.js";
import { errorText } from "../service/problems.js";
import { decide, nearest, recall } from "./rule.js";
import { emptyMemory, keepMemory, keptMemory, memoryText, parseMemory, withDrawing } from "./store.js";

/** Drawings of each digit that "Teach it" asks for. */
const N_EACH = 2;

const teach = byId("teach");
const answer = byId("answer");
const next = byId("teach-next", HTMLButtonElement);

let memory = keptMemory();
let isKept = true;
/** @type {Card | null} */
let card = null;
/** How many drawings the visitor has taught in this round; null while not teaching. */
let nTaught = /** @type {number | null} */ (null);
let isBusy = false;

/** @type {{strokes: () => Stroke[], clear: () => void, changed: () => void}} of the page */
let page = { strokes: () => [], clear: () => {}, changed: () => {} };

/** @param {typeof page} given the strokes on the sheet; clear it; ask for its answer again */
export function start(given) {
  page = given;
  showState();
}

/** @param {Card} shown */
export function showCard(shown) {
  const wasInUse = isInUse();
  card = shown;
  byId("hand").hidden = !canRemember();
  showState();
  // The answer to a drawing from before a reload came without the memory.
  if (isInUse() && !wasInUse) page.changed();
}

/** @returns {boolean} whether the model has what a memory needs */
export function canRemember() {
  return card?.memory != null && card.outputs.some(({ name }) => name === "features");
}

/** @returns {boolean} whether the next answer needs features */
export function isInUse() {
  return memory.drawings.length > 0 && canRemember() && memory.model === card?.version;
}

/** @returns {boolean} */
export function isTeaching() {
  return nTaught !== null;
}

/**
 * Ask the service, and take the memory into account.
 *
 * @param {Ask} ask
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function read(ask, signal) {
  return remind(await predict(ask, signal));
}

/**
 * @param {Answer} found the service's answer
 * @returns {Answer} the same without a memory for this model
 */
function remind(found) {
  if (!isInUse() || !card?.memory || !found.features || found.model_version !== memory.model || found.state === "blank") return found;
  const similarity = nearest(found.features, memory.drawings, card.classes.length);
  const reading = decide(recall(found, similarity, card.memory), card.thresholds);
  return { ...found, ...reading, isByMemory: reading.digit !== found.digit || reading.state !== found.state };
}

/**
 * Remember a drawing.
 *
 * @param {Stroke[]} strokes
 * @param {number} label
 * @throws {ServiceError} if the service does not answer
 */
export async function remember(strokes, label) {
  const ask = { strokes, request: () => strokesRequest(strokes, true) };
  const { features = [], model_version } = await predict(ask, new AbortController().signal);
  change(withDrawing(memory, model_version, { vector: new Float32Array(features), label }));
}

/** Ask for the answer to the sheet again, after a change of the memory. */
export function repeat() {
  page.changed();
}

/** @param {HandMemory} changed */
function change(changed) {
  memory = changed;
  isKept = keepMemory(memory);
  showState();
}

function showState() {
  const n = memory.drawings.length;
  byId("hand-state").textContent = stateText(n);
  for (const id of ["hand-forget", "hand-export"]) byId(id).ariaDisabled = String(n === 0);
}

/**
 * @param {number} n remembered drawings
 * @returns {string}
 */
function stateText(n) {
  if (n === 0) return "It can learn how you write: draw each digit twice, or correct its mistakes. What it learns stays in this browser.";
  const drawings = n === 1 ? "one of your drawings" : `${n} of your drawings`;
  if (card && memory.model !== card.version) return `The model has changed, so what it learned from ${drawings} no longer counts. Teach it again.`;
  return `It remembers ${drawings}, ${isKept ? "in this browser only" : "until you close this page"}.`;
}

function startTeaching() {
  nTaught = 0;
  page.clear();
  showTask();
  teach.scrollIntoView({ block: "nearest" });
  byId("teach-task").focus({ preventScroll: true });
}

function stopTeaching() {
  nTaught = null;
  teach.hidden = true;
  answer.classList.remove("teaching");
  page.clear();
  byId("headline").focus({ preventScroll: true });
}

/** @param {string} [problem] with the last drawing */
function showTask(problem) {
  if (nTaught === null || !card) return;
  teach.hidden = false;
  answer.classList.add("teaching");
  byId("teach-task").textContent = `Draw a ${className(nTaught % card.classes.length)}`;
  byId("teach-count").textContent = problem ?? `${nTaught + 1} of ${N_EACH * card.classes.length}, as you always write it.`;
  say(`${byId("teach-task").textContent}. ${byId("teach-count").textContent}`);
}

async function takeDrawing() {
  const strokes = page.strokes();
  if (isBusy || nTaught === null || !card) return;
  if (strokes.length === 0) return showTask("The sheet is empty.");
  isBusy = true;
  try {
    await remember(strokes, nTaught % card.classes.length);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    showTask(`Not learned. ${errorText(error, false, false)}`);
    return;
  } finally {
    isBusy = false;
  }
  // The visitor may have stopped meanwhile.
  if (nTaught === null) return;
  nTaught += 1;
  page.clear();
  if (nTaught < N_EACH * card.classes.length) return showTask();
  stopTeaching();
  say(byId("hand-state").textContent ?? "");
}

function forget() {
  if (memory.drawings.length === 0) return;
  change(emptyMemory());
  say("Forgotten.");
  page.changed();
}

function exportFile() {
  if (memory.drawings.length === 0) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([memoryText(memory)], { type: "application/json" }));
  link.download = "inkling-hand.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** @param {File} file */
async function importFile(file) {
  const given = parseMemory(await file.text().catch(() => ""));
  if (!given || given.drawings.some(({ label }) => label >= (card?.classes.length ?? 0))) {
    showProblem("This file has no drawings that Inkling exported.");
  } else if (given.model !== card?.version) showProblem("This file was made with another model, so it cannot be used.");
  else {
    change(given);
    say(byId("hand-state").textContent ?? "");
    page.changed();
  }
}

/** @param {string} problem */
function showProblem(problem) {
  byId("hand-state").textContent = problem;
  say(problem);
}

byId("hand-teach").addEventListener("click", startTeaching);
byId("hand-forget").addEventListener("click", forget);
byId("hand-export").addEventListener("click", exportFile);
const chosen = byId("hand-file", HTMLInputElement);
byId("hand-import").addEventListener("click", () => chosen.click());
chosen.addEventListener("change", () => {
  if (chosen.files?.[0]) importFile(chosen.files[0]);
  chosen.value = "";
});
next.addEventListener("click", takeDrawing);
byId("teach-stop").addEventListener("click", stopTeaching);
