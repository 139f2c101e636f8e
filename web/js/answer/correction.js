// The correction of an answer: the drawing and its right digit, for the service to store.

import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { ServiceError, sendDrawing } from "../service/predict.js";
import { tellProblem } from "../service/problems.js";

const wrong = byId("wrong", HTMLButtonElement);
const thanks = byId("thanks");
const dialog = byId("correction", HTMLDialogElement);
const problem = byId("correction-problem");
const digits = byId("correction-digits");

let collects = false;
/** @type {Stroke[] | null} of the answer that is shown */
let strokes = null;
/** @type {Stroke[] | null} those that the dialog is about */
let chosen = null;
/** @type {WeakSet<Stroke[]>} what is being sent or is stored: a second press stores nothing twice */
const taken = new WeakSet();

/**
 * A service stores drawings only if whoever started it asked for that.
 *
 * @param {Card} card
 */
export function showCard(card) {
  collects = card.service?.collects === true;
  offer();
}

/**
 * @param {Answer} answer
 * @param {Drawing} drawing
 */
export function showAnswer(answer, drawing) {
  const isOffered = drawing.file === null && answer.state !== "blank" && !drawing.isDrawing;
  strokes = isOffered ? drawing.strokes : null;
  offer();
}

/** Nothing is drawn, or there is no answer to correct. */
export function showBlank() {
  strokes = null;
  offer();
}

function offer() {
  wrong.hidden = !collects || strokes === null;
  thanks.hidden = true;
}

/** @param {number} label */
async function send(label) {
  const sent = chosen;
  if (!sent || taken.has(sent)) return;
  taken.add(sent);
  problem.hidden = true;
  try {
    await sendDrawing(sent, label);
  } catch (error) {
    taken.delete(sent);
    if (!(error instanceof ServiceError)) throw error;
    if (sent !== chosen) return;
    problem.textContent = `Not stored. ${tellProblem(error, false, false)}`;
    problem.hidden = false;
    problem.focus();
    return;
  }
  if (sent === chosen) dialog.close();
  // Other ink may have been drawn meanwhile.
  if (sent !== strokes) return;
  wrong.hidden = true;
  thanks.textContent = `Thank you. It is stored as a ${label}.`;
  thanks.hidden = false;
  // The button that had the focus is gone.
  thanks.focus();
}

for (let digit = 0; digit < 10; digit += 1) {
  digits.append(html("button.button.digit", { type: "button", onclick: () => send(digit) }, String(digit)));
}
wrong.addEventListener("click", () => {
  chosen = strokes;
  problem.hidden = true;
  dialog.showModal();
});
byId("correction-cancel").addEventListener("click", () => dialog.close());
