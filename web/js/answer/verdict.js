// The answer beside the ink, the state of the model, and the buttons of the sheet.

import { Bars } from "../base/bars.js";
import { byId } from "../base/dom.js";
import { paintGrey, wipe } from "../base/grid.js";
import { GRID, bytesOf, countParts } from "../base/pixels.js";
import { say } from "../base/speech.js";
import * as numberView from "../number/view.js";
import { bestTwo, isRead, modelText, verdictOf } from "./sentences.js";

/** How long a notice stays on the sheet. */
const NOTICE_MS = 2000;

/** @typedef {"number" | "blank" | "reading" | "digit" | "unsure" | "not_a_digit" | "error"} State of the answer on the page */

const panel = byId("answer");
const seen = byId("seen", HTMLCanvasElement);
const bars = new Bars(byId("bars"));
let nClasses = 10;

/** @type {number | undefined} */
let noticeTimer;

/**
 * @param {Card} card
 * @param {boolean} isLocal whether this browser reads, not the service
 */
export function showCard(card, isLocal) {
  nClasses = card.classes.length;
  if (panel.dataset.state === "blank") showBars(null);
  byId("model-text").textContent = modelText(card);
  showModelState("ready", isLocal ? "This browser" : "Ready");
}

/**
 * Show why there is no card, and offer to ask again.
 *
 * @param {Error} error
 */
export function showCardError(error) {
  showModelState("down", "Away");
  byId("banner-text").textContent = error.message;
}

/** The state before anything is drawn. */
export function showBlank() {
  showVerdict("blank", "", "Draw a digit", "It is read when you lift the pen.");
  showBars(null);
  wipe(seen);
  byId("box-story").textContent = "Your ink, cut out, scaled and centred.";
  byId("latency").hidden = true;
}

/**
 * Show and speak that an answer is awaited, to an image or to a request by hand.
 *
 * @param {string} headline
 */
export function showReading(headline) {
  showVerdict("reading", "", headline, "");
  say(headline);
}

/** Show and speak that the card is requested by hand. */
export function showAsking() {
  byId("banner-text").textContent = "Asking again…";
  say("Asking again…");
}

/** Speak the state of the model. */
export function speakModel() {
  say(byId("model").dataset.state === "ready" ? "Ready." : byId("banner-text").textContent ?? "");
}

/** @param {Answer} answer */
export function showAnswer(answer) {
  const { glyph, headline, detail } = verdictOf(answer, countParts(bytesOf(answer.normalized)));
  showVerdict(answer.state, glyph, headline, detail);
  showBars(answer, true);
}

/**
 * Show a number of several digits.
 *
 * @param {NumberAnswer} number
 * @param {(strokes: number[]) => void} explain runs with the indices of the chosen digit's strokes
 */
export function showNumber(number, explain) {
  showVerdict("number", "", "", numberView.detailOf(number));
  byId("headline").replaceChildren(...numberView.headlineOf(number));
  numberView.show(number, explain);
}

/**
 * Show what can change with each point of the pen. The words stay.
 *
 * @param {Answer} answer
 */
export function showProgress(answer) {
  numberView.hide();
  showBars(answer);
  showSeen(answer);
  showLatency(answer);
}

/**
 * Show the pixels that the network saw.
 *
 * @param {Answer} answer
 */
export function showSeen(answer) {
  paintGrey(seen, bytesOf(answer.normalized), GRID);
  byId("box-story").textContent = boxText(answer);
}

/**
 * Show why there is no answer, and speak it once. The previous answer is removed.
 *
 * @param {string} problem
 * @param {boolean} canRetry
 */
export function showError(problem, canRetry) {
  const isKnown = panel.dataset.state === "error" && byId("detail").textContent === problem;
  showBlank();
  showVerdict("error", "!", "No answer", problem, canRetry);
  if (!isKnown) speak();
}

/** Dim the verdict while its ink changes. */
export function dim() {
  panel.classList.add("dim");
}

/** Speak the answer. */
export function speak() {
  say(`${byId("headline").textContent}. ${byId("detail").textContent}`);
}

/**
 * Show which buttons of the sheet work, and the hint while the sheet is empty.
 *
 * @param {{isBlank: boolean, isSample: boolean, hasInk: boolean, canUndo: boolean, canRedo: boolean}} sheet
 */
export function showSheet({ isBlank, isSample, hasInk, canUndo, canRedo }) {
  byId("hint").hidden = !isBlank;
  byId("sample-note").hidden = !isSample;
  const can = { undo: canUndo, redo: canRedo, clear: !isBlank, share: hasInk };
  // Not `disabled`, because a disabled button loses the keyboard focus.
  for (const [id, isPossible] of Object.entries(can)) byId(id).ariaDisabled = String(!isPossible);
}

/** @param {boolean} isOn whether fingers are ignored because a pen is in use */
export function showPenMode(isOn) {
  byId("pen-mode").hidden = !isOn;
}

/**
 * Show and speak a notice on the sheet for a moment.
 *
 * @param {string} text
 */
export function notify(text) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.hidden = false;
  say(text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.hidden = true), NOTICE_MS);
}

/**
 * @param {State} state
 * @param {string} glyph
 * @param {string} headline
 * @param {string} detail
 * @param {boolean} [canRetry]
 */
function showVerdict(state, glyph, headline, detail, canRetry = false) {
  numberView.hide();
  panel.dataset.state = state;
  panel.classList.remove("dim");
  byId("glyph").textContent = glyph;
  byId("headline").textContent = headline;
  byId("detail").textContent = detail;
  hide("ask-again", !canRetry);
}

/**
 * @param {"ready" | "down"} state
 * @param {string} text
 */
function showModelState(state, text) {
  byId("model").dataset.state = state;
  byId("model-state").textContent = text;
  hide("banner", state !== "down");
}

/**
 * Show or hide an element. If a hidden element has the keyboard focus, the answer gets it.
 *
 * @param {string} id
 * @param {boolean} isHidden
 */
function hide(id, isHidden) {
  const element = byId(id);
  if (isHidden && element.contains(document.activeElement)) byId("headline").focus({ preventScroll: true });
  element.hidden = isHidden;
}

/**
 * Show the probability of each digit: of ink that is not read as one, the probability that it is this digit after all.
 *
 * @param {Answer | null} answer null for an empty sheet
 * @param {boolean} [isFinal] whether to mark and name the digits of the verdict
 */
function showBars(answer, isFinal = false) {
  if (!answer) return bars.show(Array(nClasses).fill(0));
  const { state, digit, probabilities, digit_score } = answer;
  const read = state === "unsure" ? bestTwo(probabilities) : [digit];
  bars.show(probabilities.map((value) => (isRead(answer) ? value : value * digit_score)), isFinal ? read : []);
}

/**
 * @param {Answer} answer
 * @returns {string}
 */
function boxText({ box, width, height }) {
  if (!box) return `No ink in ${width} × ${height} pixels.`;
  const ink = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;
  return `Your ink, ${ink} of ${width} × ${height} px, cut out, scaled and centred.`;
}

/** @param {Answer} answer */
function showLatency({ by, decodeMs, inferMs, serviceMs, roundTripMs }) {
  const parts = { [by === "browser" ? "drawing it" : "reading the request"]: decodeMs, "preprocessing and network": inferMs, "with the way there and back": roundTripMs };
  byId("latency").hidden = serviceMs === null;
  byId("latency-total").textContent = `${by === "browser" ? "This browser" : "The service"} answered in ${formatMs(serviceMs ?? 0)}`;
  byId("latency-parts").textContent = Object.entries(parts)
    .flatMap(([name, ms]) => (ms === null ? [] : `${name} ${formatMs(ms)}`))
    .join(" · ");
}

/**
 * @param {number} ms
 * @returns {string}
 */
function formatMs(ms) {
  return `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)}\u00a0ms`;
}
