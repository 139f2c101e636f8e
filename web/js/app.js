// Connects the sheet, the service and the parts of the page.

import * as architecture from "./model/architecture.js";
import { RASTER_SIDE, DrawingCanvas } from "./sheet/canvas.js";
import * as correction from "./answer/correction.js";
import { setClasses } from "./base/classes.js";
import { byId } from "./base/dom.js";
import * as evaluation from "./model/evaluation.js";
import * as experiments from "./model/experiments.js";
import { takeFiles } from "./sheet/files.js";
import { takeKeys } from "./sheet/keys.js";
import * as motion from "./base/motion.js";
import * as navigation from "./base/navigation.js";
import * as network from "./answer/network.js";
import { LatestRequest } from "./service/latest.js";
import { keepOffline } from "./service/offline.js";
import { addSamples } from "./sheet/picker.js";
import * as picture from "./sheet/picture.js";
import { ServiceError, fileRequest, inkRequest, predict } from "./service/predict.js";
import { errorText } from "./service/problems.js";
import * as commands from "./model/commands.js";
import { forgetLink, isOwnLink, linkedStrokes, share } from "./sheet/share.js";
import * as steps from "./answer/steps.js";
import "./base/theme.js";
import * as verdict from "./answer/verdict.js";
import { HealthMonitor } from "./service/health.js";

/** @type {Part[]} the parts of the page that show the card or the answers */
const parts = [correction, steps, network, architecture, evaluation, experiments];

const sheet = new DrawingCanvas(byId("ink", HTMLCanvasElement), { start: startStroke, ink: askInk, end: endStroke, pen: () => verdict.showPenMode(true) });
/** @type {LatestRequest<Ask, Answer>} */
const predictor = new LatestRequest(predict, { answer: takeAnswer, error: takeError });
const health = new HealthMonitor({ card: takeCard, down: verdict.showCardError, back: takeBack });

/** @type {Set<string>} models whose card was requested; two models that alternate cost one request each */
const versions = new Set();
/** @type {(() => void) | null} shows the newest answer as final */
let showFinal = null;
/** @type {Ask | null} the question that failed, to ask again when the service is back */
let failed = null;
/** @type {Ask | null} the question that was asked again; a second failure is not retried */
let askedAgain = null;
let shownCard = "";

/** A stroke on an image removes the image and the strokes from before it. */
function startStroke() {
  forgetLink();
  if (!picture.isThere()) return;
  picture.hide();
  sheet.clear();
}

function askInk() {
  showFinal = null;
  failed = null;
  showSheet();
  if (sheet.isBlank) {
    predictor.cancel();
    showBlank();
    verdict.speak();
    return;
  }
  /** @type {Ask} */
  const ask = {
    request: () => {
      ask.grey = sheet.toGrey();
      return inkRequest(ask.grey, RASTER_SIDE);
    },
  };
  predictor.ask(ask);
}

/** Show the last answer as final, if it came before the pen was lifted. */
function endStroke() {
  if (!predictor.isBusy) showFinal?.();
}

/** @param {File} file */
function askFile(file) {
  showFinal = null;
  failed = null;
  // Otherwise an unfinished stroke would be sent in place of the image.
  sheet.stop();
  picture.show(file);
  showSheet();
  showBlank();
  verdict.showReading("Reading the image…");
  showStage();
  predictor.ask({ file, request: () => fileRequest(file) });
}

/**
 * @param {Answer} answer
 * @param {Ask} ask
 * @param {boolean} isNewest
 */
function takeAnswer(answer, ask, isNewest) {
  // The answer is outdated if the sheet has other ink or another image now.
  if (!picture.isOf(ask.file)) return;
  failed = null;
  showFinal = () => showAnswer(answer, ask, true);
  showAnswer(answer, ask, isNewest);
  // A new model answered, so its card is needed.
  if (!versions.has(answer.model_version)) {
    versions.add(answer.model_version);
    health.check();
  }
}

/**
 * @param {Answer} answer
 * @param {Ask} ask
 * @param {boolean} isNewest
 */
function showAnswer(answer, ask, isNewest) {
  const { file = null, grey } = ask;
  const isDrawing = sheet.isDrawing || !isNewest;
  const drawing = { strokes: file || isDrawing ? [] : sheet.strokes, grey, file, isDrawing };
  verdict.showAnswer(answer);
  for (const part of parts) part.showAnswer?.(answer, drawing);
  if (!isDrawing) verdict.speak();
}

function showBlank() {
  verdict.showBlank();
  for (const part of parts) part.showBlank?.();
}

/**
 * @param {ServiceError} error
 * @param {Ask} [ask]
 * @param {boolean} [isAskedAgain] whether the request is repeated automatically
 */
function takeError(error, ask, isAskedAgain = false) {
  showFinal = null;
  failed = error.canRetry && ask && ask !== askedAgain ? ask : null;
  const isAutomatic = isAskedAgain || (error.isUnreachable && failed !== null);
  // Remove the explanations of the previous answer.
  for (const part of parts) part.showBlank?.();
  verdict.showError(errorText(error, Boolean(ask?.file), isAutomatic), error.canRetry && !isAutomatic);
  if (error.isUnreachable) health.lost(error);
}

/** @param {string} message */
function refuseInput(message) {
  // An answer that is still on its way would replace the message.
  predictor.cancel();
  takeError(new ServiceError(message));
}

function takeBack() {
  for (const part of parts) part.showBack?.();
  if (!failed) return;
  askedAgain = failed;
  predictor.askAgain();
}

/** @param {Card} card */
function takeCard(card) {
  versions.add(card.version);
  setClasses(card.classes);
  verdict.showCard(card);
  // Showing the same card again would reset the visitor's choices.
  const key = JSON.stringify([card.version, card.sha256, card.service]);
  if (key === shownCard) return;
  shownCard = key;
  for (const part of parts) {
    const isComplete = part.needs?.every((entry) => card[entry] !== null) ?? true;
    if (part.section) byId(part.section).hidden = !isComplete;
    if (isComplete) part.showCard?.(card);
  }
}

function showSheet() {
  verdict.showSheet({
    isBlank: sheet.isBlank && !picture.isThere(),
    hasInk: !sheet.isBlank && !picture.isThere(),
    canUndo: sheet.canUndo || picture.isThere(),
    canRedo: sheet.canRedo,
  });
}

/** Remove the image first; the strokes under it are still there. */
function undo() {
  forgetLink();
  if (picture.isThere()) picture.hide();
  else sheet.undo();
  askInk();
}

function redo() {
  if (!sheet.canRedo) return;
  forgetLink();
  picture.hide();
  sheet.redo();
  askInk();
}

function clear() {
  forgetLink();
  picture.hide();
  sheet.clear();
  askInk();
}

/** @param {Stroke[]} strokes */
function replay(strokes) {
  picture.hide();
  sheet.replay(strokes);
  showSheet();
  showStage();
}

/** Scroll to the sheet: on a phone, the samples and the upload are a screen below it. */
function showStage() {
  byId("stage").scrollIntoView({ block: "nearest" });
}

/** Show the drawing in the page's address, if there is one. */
function openLink() {
  const strokes = linkedStrokes();
  if (strokes) replay(strokes);
  else if (strokes === null) refuseInput("The drawing in this link is damaged. Ask for the link once more, or draw.");
}

byId("undo").addEventListener("click", undo);
byId("redo").addEventListener("click", redo);
byId("clear").addEventListener("click", clear);
byId("share").addEventListener("click", async () => {
  if (!sheet.isBlank && !picture.isThere()) verdict.showShared(await share(sheet.strokes));
});
byId("use-finger").addEventListener("click", () => {
  sheet.allowFingers();
  verdict.showPenMode(false);
});
byId("hero-draw").addEventListener("click", () => {
  showStage();
  byId("stage").focus({ preventScroll: true });
});
byId("ask-again").addEventListener("click", () => {
  verdict.showReading("Asking again…");
  predictor.askAgain();
});
byId("model-retry").addEventListener("click", async () => {
  verdict.showAsking();
  await health.check();
  verdict.speakModel();
});
window.addEventListener("hashchange", () => isOwnLink() || openLink());

takeKeys({ undo, redo, clear });
takeFiles({ file: askFile, none: () => refuseInput("There is no image file in what you gave. Save the image, then give the file.") });
addSamples((strokes) => {
  forgetLink();
  replay(strokes);
});
showBlank();
openLink();
health.check();
keepOffline();
commands.start();
navigation.start();
motion.start();
