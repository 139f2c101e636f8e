// The correction of an answer: the page remembers it, and the service gets the drawing and the right digit if the visitor
// wants that.

import { className } from "../base/classes.js";
import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { canRemember, remember, repeat } from "../memory/hand.js";
import { ServiceError, sendDrawing } from "../service/predict.js";
import { errorText } from "../service/problems.js";
import { notify } from "./verdict.js";

const wrong = byId("wrong", HTMLButtonElement);
const thanks = byId("thanks");
const dialog = byId("correction", HTMLDialogElement);
const problem = byId("correction-problem");
const digits = byId("correction-digits");
const isSent = byId("correction-send", HTMLInputElement);

let collects = false;
/** @type {Stroke[] | null} the drawing of the current answer */
let strokes = null;
/** @type {Stroke[] | null} the drawing that the dialog corrects */
let chosen = null;
/** @type {WeakSet<Stroke[]>} drawings that are sent or stored, so that a second press stores nothing twice */
const taken = new WeakSet();

/** @param {Card} card */
export function showCard({ classes, service }) {
  collects = service.collects;
  digits.replaceChildren(
    ...classes.map((name, digit) => html("button.button.digit", { type: "button", onclick: () => send(digit) }, name)),
  );
  byId("correction-sent").hidden = canRemember();
  byId("correction-learned").hidden = !canRemember();
  byId("correction-choice").hidden = !canRemember() || !collects;
  offer();
}

/**
 * @param {Answer} answer
 * @param {Drawing} drawing
 */
export function showAnswer(answer, drawing) {
  strokes = answer.state !== "blank" && !drawing.isDrawing ? drawing.strokes : null;
  offer();
}

export function showBlank() {
  strokes = null;
  offer();
}

function offer() {
  wrong.hidden = !(collects || canRemember()) || strokes === null;
  thanks.hidden = true;
}

/** @param {number} label */
async function send(label) {
  const sent = chosen;
  if (!sent || taken.has(sent)) return;
  taken.add(sent);
  problem.hidden = true;
  try {
    if (collects && (!canRemember() || isSent.checked)) await sendDrawing(sent, label);
    if (canRemember()) await remember(sent, label);
  } catch (error) {
    taken.delete(sent);
    if (!(error instanceof ServiceError)) throw error;
    if (sent !== chosen) return;
    problem.textContent = `Not stored. ${errorText(error, false, false)}`;
    problem.hidden = false;
    problem.focus();
    return;
  }
  if (sent === chosen) dialog.close();
  // Other ink may have been drawn meanwhile.
  if (sent !== strokes) return;
  if (canRemember()) {
    notify(`Learned as a ${className(label)}`);
    repeat();
    return;
  }
  wrong.hidden = true;
  thanks.textContent = `Thank you. It is stored as a ${className(label)}.`;
  thanks.hidden = false;
  // The button that had the focus is gone.
  thanks.focus();
}

wrong.addEventListener("click", () => {
  chosen = strokes;
  problem.hidden = true;
  dialog.showModal();
});
byId("correction-cancel").addEventListener("click", () => dialog.close());
