// Wires the sheet, the service and the page together.

import { RASTER_SIDE, Sheet } from "./canvas.js";
import { Predictor, ServiceError, fetchCard, fileRequest, inkRequest } from "./predict.js";
import * as architecture from "./architecture.js";
import * as evaluation from "./evaluation.js";
import * as experiments from "./experiments.js";
import * as motion from "./motion.js";
import * as navigation from "./navigation.js";
import * as network from "./network.js";
import * as run from "./run.js";
import * as steps from "./steps.js";
import * as ui from "./ui.js";

/** The parts of the page below the sheet: each shows the card, and follows the answers as far as it likes. */
const parts = [steps, network, architecture, evaluation, experiments];

const byId = (id) => document.getElementById(id);

const picture = byId("picture");
const stage = byId("stage");
const sheet = new Sheet(byId("ink"), { start: startStroke, ink: askInk });
const predictor = new Predictor({ answer: takeAnswer, error: takeError });
let cardVersion = null;

/** Ink on an image means something new: the image goes, and so do the strokes from before it. */
function startStroke() {
  if (picture.hidden) return;
  hidePicture();
  sheet.clear();
}

function askInk() {
  ui.showSheet({ isBlank: sheet.isBlank });
  if (sheet.isBlank) {
    predictor.cancel();
    ui.showBlank();
    for (const part of parts) part.showBlank?.();
  } else {
    const ask = {
      request: () => {
        ask.grey = sheet.toGrey();
        return inkRequest(ask.grey, RASTER_SIDE);
      },
    };
    predictor.ask(ask);
  }
}

function askFile(file) {
  ui.showReading();
  predictor.ask({ file, request: () => fileRequest(file) });
}

function takeAnswer(answer, ask, isNewest) {
  // Who draws on while an image is being read has turned away from it.
  if (ask.file && !isNewest) return;
  if (ask.file) showPicture(ask.file);
  ui.showAnswer(answer);
  const drawing = { strokes: ask.file ? [] : sheet.strokes, grey: ask.grey, file: ask.file ?? null, isDrawing: sheet.isDrawing };
  for (const part of parts) part.showAnswer?.(answer, drawing);
  if (isNewest && !sheet.isDrawing) ui.speak();
  // The service took up another model, or is back: its card has changed.
  if (answer.model_version !== cardVersion) loadCard(answer.model_version);
}

function takeError(error) {
  ui.showError(error);
  ui.speak();
}

async function loadCard(version = null) {
  cardVersion = version;
  ui.showCardLoading();
  try {
    const card = await fetchCard();
    cardVersion = card.version;
    ui.showCard(card);
    for (const part of parts) part.showCard?.(card);
  } catch (error) {
    ui.showCardError(error);
  }
}

function showPicture(file) {
  hidePicture();
  picture.src = URL.createObjectURL(file);
  picture.hidden = false;
  ui.showSheet({ isBlank: false });
}

function hidePicture() {
  URL.revokeObjectURL(picture.src);
  picture.removeAttribute("src");
  picture.hidden = true;
}

/** Takes the image away first: the strokes under it are still there. */
function undo() {
  if (picture.hidden) sheet.undo();
  else hidePicture();
  askInk();
}

function clear() {
  hidePicture();
  sheet.clear();
  askInk();
}

function takeFile(file) {
  if (file) askFile(file);
  else takeError(new ServiceError("There is no image file in what you gave. Save the image, then give the file.", false));
}

byId("undo").addEventListener("click", undo);
byId("clear").addEventListener("click", clear);
byId("ask-again").addEventListener("click", () => predictor.askAgain());
byId("model-retry").addEventListener("click", () => loadCard());

document.addEventListener("keydown", (event) => {
  const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "z";
  if (isUndo) event.preventDefault();
  if (isUndo) undo();
  else if (event.key === "Escape") clear();
});

byId("file").addEventListener("change", ({ target }) => {
  if (target.files.length > 0) askFile(target.files[0]);
  // Or the same file, chosen once more, would be no change.
  target.value = "";
});

document.addEventListener("paste", ({ clipboardData }) => takeFile(clipboardData.files[0]));

// The whole page takes a drop: beside the sheet, the browser would leave the page to open the file.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  stage.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) stage.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  stage.classList.remove("dropping");
  takeFile(event.dataTransfer.files[0]);
});

ui.showBlank();
loadCard();
run.start();
navigation.start();
motion.start();
