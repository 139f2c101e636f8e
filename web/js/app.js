// Connects the sheet, the service and the parts of the page.

import * as architecture from "./model/architecture.js";
import { DrawingCanvas } from "./sheet/canvas.js";
import * as correction from "./answer/correction.js";
import { byId } from "./base/dom.js";
import * as hand from "./memory/hand.js";
import * as evaluation from "./model/evaluation.js";
import { takeFiles } from "./sheet/files.js";
import { takeKeys } from "./sheet/keys.js";
import * as choice from "./local/choice.js";
import * as keep from "./local/keep.js";
import * as navigation from "./base/navigation.js";
import * as network from "./answer/network.js";
import { LatestRequest } from "./service/latest.js";
import * as cards from "./cards.js";
import { keepOffline } from "./service/offline.js";
import { addSamples, sampleOf } from "./sheet/picker.js";
import { MAX_STROKES } from "./number/decode.js";
import * as numberView from "./number/view.js";
import * as picture from "./sheet/picture.js";
import { ServiceError, fileRequest, strokesRequest } from "./service/predict.js";
import { errorText } from "./service/problems.js";
import * as commands from "./model/commands.js";
import { forgetLink, isOwnLink, linkedStrokes, share } from "./sheet/share.js";
import { keepDrawing, keptDrawing } from "./sheet/session.js";
import { brief } from "./sheet/strokes.js";
import * as steps from "./answer/steps.js";
import "./base/theme.js";
import * as verdict from "./answer/verdict.js";
import { HealthMonitor } from "./service/health.js";

/** @type {Part[]} the parts of the page that show the card or the answers */
const parts = [hand, correction, steps, network, keep, architecture, evaluation];

const sheet = new DrawingCanvas(byId("ink", HTMLCanvasElement), { start: startStroke, ink: askInk, end: endStroke, pen: () => verdict.showPenMode(true) });
/** @type {LatestRequest<Ask, Answer>} */
const predictor = new LatestRequest(hand.read, { answer: takeAnswer, error: takeError });
/** @type {LatestRequest<Ask, Answer>} reads one digit of a number by itself, to show what the network sees */
const explainer = new LatestRequest(hand.read, { answer: explain, error: () => {} });
const health = new HealthMonitor({ card: cards.takeServiceCard, down: cards.takeDown, back: takeBack });

/** Pause after the pen's end before the verdict: a digit may have another stroke, above all ink that is no digit yet. */
const VERDICT_MS = 150;
const REFUSAL_MS = 600;

/** The sample that plays when the page opens, and where it may. */
const FIRST_SAMPLE = 2;
/** How long the verdict waits for a number. */
const NUMBER_MS = 1500;
const MOTION = "(prefers-reduced-motion: no-preference)";

const state = {
  /** @type {{answer: Answer, ask: Ask} | null} the answer to the ink on the sheet */
  read: null,
  /** When the pen was lifted last, ms. */
  penUpMs: 0,
  /** @type {number | undefined} until the verdict */
  timer: undefined,
  /** Whether the sheet shows a sample, which the first stroke replaces. */
  isSample: false,
  /** @type {Ask | null} the question that failed, to ask again when the service is back */
  failed: null,
  /** @type {Ask | null} the question that was asked again; a second failure is not retried */
  askedAgain: null,
};

/** A stroke on an image or a sample replaces it. */
function startStroke() {
  forgetLink();
  clearTimeout(state.timer);
  verdict.dim();
  if (picture.isThere() || state.isSample) sheet.clear();
  state.isSample = false;
  picture.hide();
}

function askInk() {
  forgetAnswer();
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
      ask.strokes = brief(sheet.strokes);
      return strokesRequest(ask.strokes, hand.isInUse());
    },
  };
  predictor.ask(ask);
}

function forgetAnswer() {
  state.read = state.failed = null;
  clearTimeout(state.timer);
  explainer.cancel();
}

function endStroke() {
  state.penUpMs = performance.now();
  keepDrawing(state.isSample ? [] : sheet.strokes);
  predictor.hurry();
  if (!predictor.isBusy) conclude();
}

/** @param {File} file */
function askFile(file) {
  forgetAnswer();
  // Otherwise an unfinished stroke would be sent in place of the image.
  sheet.stop();
  picture.show(file);
  showSheet();
  showBlank();
  verdict.showReading("Reading the image…");
  showStage();
  predictor.ask({ file, request: () => fileRequest(file, hand.isInUse()) });
}

/**
 * @param {Answer} answer
 * @param {Ask} ask
 * @param {boolean} isNewest
 */
function takeAnswer(answer, ask, isNewest) {
  // The answer is outdated if the sheet has other ink or another image now.
  if (!picture.isOf(ask.file)) return;
  state.failed = null;
  state.read = { answer, ask };
  verdict.showProgress(answer);
  showParts(true);
  if (isNewest && !sheet.isDrawing) conclude();
  if (cards.isNew(answer.model_version)) health.check();
}

/** Show the verdict when the drawing has come to rest. */
function conclude() {
  if (!state.read) return;
  if (hand.isTeaching()) return showParts(false);
  const { answer, ask } = state.read;
  const pauseMs = answer.state === "not_a_digit" ? REFUSAL_MS : VERDICT_MS;
  clearTimeout(state.timer);
  state.timer = setTimeout(async () => {
    const number = await readNumber(ask);
    // The drawing may have gone on meanwhile.
    if (state.read?.ask !== ask || sheet.isDrawing) return;
    const isNumber = numberView.isNumber(number, answer);
    if (number && isNumber) verdict.showNumber(number, (own) => askDigit(ask, own));
    else {
      verdict.showAnswer(answer);
      showParts(false);
    }
    sheet.tint(isNumber ? numberView.colourOf : null);
    if (sheet.isCut && !picture.isThere()) verdict.notify("What is beyond the sheet’s edge is not read.");
    verdict.speak();
  }, state.penUpMs + pauseMs - performance.now());
}

/**
 * @param {Ask} ask
 * @returns {Promise<NumberAnswer | null>} null if the strokes cannot be a number, or there is no answer in time
 */
async function readNumber({ strokes }) {
  if (!cards.hasNumbers || !strokes || strokes.length < 2 || strokes.length > MAX_STROKES) return null;
  try {
    return await choice.askNumber(strokes, AbortSignal.timeout(NUMBER_MS));
  } catch {
    return null; // the reading as one digit is shown
  }
}

/**
 * @param {Ask} ask
 * @param {number[]} own indices of a digit's strokes
 */
function askDigit({ strokes: all = [] }, own) {
  const strokes = own.map((index) => all[index]);
  explainer.ask({ strokes, request: () => strokesRequest(strokes, hand.isInUse()) });
}

/**
 * @param {Answer} answer to one digit of a number
 * @param {Ask} ask
 */
function explain(answer, { strokes }) {
  verdict.showSeen(answer);
  for (const part of [steps, network]) part.showAnswer(answer, { strokes: strokes ?? null, file: null, isDrawing: false });
}

/** @param {boolean} isDrawing whether more ink may come at once */
function showParts(isDrawing) {
  if (!state.read) return;
  const { answer, ask } = state.read;
  const drawing = { strokes: ask.strokes ?? null, file: ask.file ?? null, isDrawing };
  for (const part of parts) part.showAnswer?.(answer, drawing);
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
  forgetAnswer();
  state.failed = error.canRetry && ask && ask !== state.askedAgain ? ask : null;
  const isAutomatic = isAskedAgain || (error.isUnreachable && state.failed !== null);
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
  if (!state.failed) return;
  state.askedAgain = state.failed;
  predictor.askAgain();
}

function showSheet() {
  verdict.showSheet({
    isBlank: sheet.isBlank && !picture.isThere(),
    isSample: state.isSample && !picture.isThere(),
    hasInk: !sheet.isBlank && !picture.isThere(),
    canUndo: sheet.canUndo || picture.isThere(),
    canRedo: sheet.canRedo,
  });
}

/**
 * Change the strokes by a button or a key.
 *
 * @param {() => void} change
 */
function edit(change) {
  forgetLink();
  state.isSample = false;
  change();
  picture.hide();
  askInk();
  keepDrawing(sheet.strokes);
}

/** Remove the image first; the strokes under it are still there. */
function undo() {
  edit(() => picture.isThere() || sheet.undo());
}

function redo() {
  if (sheet.canRedo) edit(() => sheet.redo());
}

function clear() {
  edit(() => sheet.clear());
}

/** @param {number} digit */
function playSample(digit) {
  forgetLink();
  replay(sampleOf(digit));
  state.isSample = true;
  showSheet();
}

/** @param {Stroke[]} strokes */
function replay(strokes) {
  picture.hide();
  sheet.replay(strokes);
  showSheet();
}

function showSamples() {
  addSamples((digit) => {
    playSample(digit);
    showStage();
  });
}

/** Scroll to the answer and the sheet below it: on a phone, the samples and the upload are a screen further down. */
function showStage() {
  for (const part of ["stage", "answer"]) byId(part).scrollIntoView({ block: "nearest" });
}

/**
 * Show the drawing in the page's address, if there is one.
 *
 * @returns {boolean} whether there is one
 */
function openLink() {
  const strokes = linkedStrokes();
  if (strokes) replay(strokes);
  else if (strokes === null) refuseInput("The drawing in this link is damaged. Ask for the link once more, or draw.");
  return strokes !== undefined;
}

/** Show the drawing of the link, or the one from before a reload, or play a sample. */
function open() {
  if (!sheet.isBlank || openLink()) return; // a visitor may be faster
  const strokes = keptDrawing();
  if (strokes) {
    sheet.show(strokes);
    askInk();
  } else if (matchMedia(MOTION).matches) playSample(FIRST_SAMPLE);
}

byId("undo").addEventListener("click", undo);
byId("redo").addEventListener("click", redo);
byId("clear").addEventListener("click", clear);
byId("share").addEventListener("click", async () => {
  if (!sheet.isBlank && !picture.isThere()) verdict.notify(await share(sheet.strokes));
});
byId("use-finger").addEventListener("click", () => {
  sheet.allowFingers();
  verdict.showPenMode(false);
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

cards.start(parts);
takeKeys({ undo, redo, clear, sample: playSample });
takeFiles({ file: askFile, none: () => refuseInput("There is no image file in what you gave. Save the image, then give the file.") });
showBlank();
hand.start({ strokes: () => (state.isSample || picture.isThere() ? [] : brief(sheet.strokes)), clear, changed: () => predictor.askAgain() });
health.check();
choice.whenLost((error) => health.lost(error));
// In tasks of their own, so that a stroke does not wait for all.
for (const run of [open, showSamples, keepOffline, commands.start, navigation.start]) setTimeout(run);
