// Wires the sheet, the service and the page together.

import * as architecture from "./model/architecture.js";
import { RASTER_SIDE, Sheet } from "./sheet/canvas.js";
import * as correction from "./answer/correction.js";
import { byId } from "./base/dom.js";
import * as evaluation from "./model/evaluation.js";
import * as experiments from "./model/experiments.js";
import { takeFiles } from "./sheet/files.js";
import { takeKeys } from "./sheet/keys.js";
import * as motion from "./base/motion.js";
import * as navigation from "./base/navigation.js";
import * as network from "./answer/network.js";
import { Newest } from "./service/latest.js";
import { worksOffline } from "./service/offline.js";
import { addSamples } from "./sheet/picker.js";
import * as picture from "./sheet/picture.js";
import { ServiceError, fileRequest, inkRequest, predict } from "./service/predict.js";
import { tellProblem } from "./service/problems.js";
import * as run from "./model/commands.js";
import { forgetLink, isOwnLink, linkedStrokes, share } from "./sheet/share.js";
import * as steps from "./answer/steps.js";
import "./base/theme.js";
import * as ui from "./answer/verdict.js";
import { Watch } from "./service/health.js";

/**
 * The parts of the page that show the card, and follow the answers as far as they like.
 *
 * @type {Part[]}
 */
const parts = [correction, steps, network, architecture, evaluation, experiments];

const sheet = new Sheet(byId("ink", HTMLCanvasElement), { start: startStroke, ink: askInk, end: endStroke, pen: () => ui.showPenMode(true) });
/** @type {Newest<Ask, Answer>} */
const predictor = new Newest(predict, { answer: takeAnswer, error: takeError });
const watch = new Watch({ card: takeCard, down: ui.showCardError, back: takeBack });

/** @type {Set<string>} the models whose card was asked for: while two answer in turn, it is not asked for at each answer */
const versions = new Set();
/** @type {(() => void) | null} tells the newest answer once more */
let tellAgain = null;
/** @type {Ask | null} what failed, and is asked again when the service is back */
let lost = null;
/** @type {Ask | null} what was: what fails once more then is not the service's absence, and is not asked for ever */
let askedAgain = null;
let cardTold = "";

/** Ink on an image means something new: the image goes, and so do the strokes from before it. */
function startStroke() {
  forgetLink();
  if (!picture.isThere()) return;
  picture.hide();
  sheet.clear();
}

function askInk() {
  tellAgain = null;
  lost = null;
  showSheet();
  if (sheet.isBlank) {
    predictor.cancel();
    showBlank();
    ui.speak();
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

/** The last answer may have come before the pen was lifted: it holds, and is now final. */
function endStroke() {
  if (!predictor.isBusy) tellAgain?.();
}

/** @param {File} file */
function askFile(file) {
  tellAgain = null;
  lost = null;
  // Or the stroke that is under way would be asked for in place of the image.
  sheet.stop();
  picture.show(file);
  showSheet();
  showBlank();
  ui.showReading("Reading the image…");
  showStage();
  predictor.ask({ file, request: () => fileRequest(file) });
}

/**
 * @param {Answer} answer
 * @param {Ask} ask
 * @param {boolean} isNewest
 */
function takeAnswer(answer, ask, isNewest) {
  // Who has drawn since an image was given has turned away from it, and who gave one, from the ink before it.
  if (!picture.isOf(ask.file)) return;
  lost = null;
  tellAgain = () => showAnswer(answer, ask, true);
  showAnswer(answer, ask, isNewest);
  // The service took up another model: its card has changed. Of one that is back, the regular look brings it.
  if (!versions.has(answer.model_version)) {
    versions.add(answer.model_version);
    watch.check();
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
  ui.showAnswer(answer);
  for (const part of parts) part.showAnswer?.(answer, drawing);
  if (!isDrawing) ui.speak();
}

function showBlank() {
  ui.showBlank();
  for (const part of parts) part.showBlank?.();
}

/**
 * @param {ServiceError} error
 * @param {Ask} [ask]
 * @param {boolean} [isAskedAgain] by itself
 */
function takeError(error, ask, isAskedAgain = false) {
  tellAgain = null;
  lost = error.canRetry && ask && ask !== askedAgain ? ask : null;
  const isByItself = isAskedAgain || (error.isUnreachable && lost !== null);
  // What explains the last answer would be taken for this one's.
  for (const part of parts) part.showBlank?.();
  ui.showError(tellProblem(error, Boolean(ask?.file), isByItself), error.canRetry && !isByItself);
  if (error.isUnreachable) watch.lost(error);
}

function takeBack() {
  for (const part of parts) part.showBack?.();
  if (!lost) return;
  askedAgain = lost;
  predictor.askAgain();
}

/** @param {Card} card */
function takeCard(card) {
  versions.add(card.version);
  ui.showCard(card);
  // The same once more: what the visitor has chosen and unfolded stays.
  const told = JSON.stringify([card.version, card.sha256, card.service]);
  if (told === cardTold) return;
  cardTold = told;
  for (const part of parts) part.showCard?.(card);
}

function showSheet() {
  ui.showSheet({
    isBlank: sheet.isBlank && !picture.isThere(),
    hasInk: !sheet.isBlank && !picture.isThere(),
    canUndo: sheet.canUndo || picture.isThere(),
    canRedo: sheet.canRedo,
  });
}

/** Takes the image away first: the strokes under it are still there. */
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

/** On a phone, the samples and the upload are a screen below the sheet. */
function showStage() {
  byId("stage").scrollIntoView({ block: "nearest" });
}

/** The drawing in the page's address, if there is one. */
function openLink() {
  const strokes = linkedStrokes();
  if (strokes) replay(strokes);
  else if (strokes === null) takeError(new ServiceError("The drawing in this link is damaged. Ask for the link once more, or draw."));
}

byId("undo").addEventListener("click", undo);
byId("redo").addEventListener("click", redo);
byId("clear").addEventListener("click", clear);
byId("share").addEventListener("click", async () => {
  if (!sheet.isBlank && !picture.isThere()) ui.showShared(await share(sheet.strokes));
});
byId("use-finger").addEventListener("click", () => {
  sheet.allowFingers();
  ui.showPenMode(false);
});
byId("hero-draw").addEventListener("click", () => {
  showStage();
  byId("stage").focus({ preventScroll: true });
});
byId("ask-again").addEventListener("click", () => {
  ui.showReading("Asking again…");
  predictor.askAgain();
});
byId("model-retry").addEventListener("click", async () => {
  ui.showAsking();
  await watch.check();
  ui.speakModel();
});
window.addEventListener("hashchange", () => isOwnLink() || openLink());

takeKeys({ undo, redo, clear });
takeFiles({ file: askFile, none: () => takeError(new ServiceError("There is no image file in what you gave. Save the image, then give the file.")) });
addSamples((strokes) => {
  forgetLink();
  replay(strokes);
});
showBlank();
openLink();
watch.check();
worksOffline();
run.start();
navigation.start();
motion.start();
