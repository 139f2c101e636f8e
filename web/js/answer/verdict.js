// The answer beside the ink, the state of the model, and the buttons of the sheet.

import { className } from "../base/classes.js";
import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { chance } from "../base/figures.js";
import { paintGrey, wipe } from "../base/grid.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { say } from "../base/speech.js";
import { bestTwo, modelText, verdictOf } from "./sentences.js";

/** How long "Link copied" replaces the name of the button. */
const NOTICE_MS = 2000;

/** @typedef {"blank" | "reading" | "digit" | "unsure" | "not_a_digit" | "error"} State of the answer on the page */

const panel = byId("answer");
const seen = byId("seen", HTMLCanvasElement);
/** @type {{row: HTMLElement, fill: HTMLElement, share: HTMLElement}[]} one for each class */
let bars = [];
/** @type {string[]} */
let barNames = [];

/** @type {number | undefined} */
let noticeTimer;

/** @param {Card} card */
export function showCard(card) {
  makeBars(card.classes.length);
  showModelState("ready", modelText(card));
}

/**
 * Show why there is no card, and offer to ask again.
 *
 * @param {Error} error
 */
export function showCardError(error) {
  showModelState("down", error.message);
  byId("banner-text").textContent = error.message;
}

/** The state before anything is drawn. */
export function showBlank() {
  showVerdict("blank", "", "Nothing drawn yet", "The answer appears as you draw.");
  showBars({ state: "blank", digit: null, probabilities: [] });
  wipe(seen);
  byId("box-story").textContent = "Your ink, cut out, scaled and centred.";
  byId("latency").textContent = "";
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
  say(`${byId("model-state").textContent}. ${byId("model-text").textContent}`);
}

/** @param {Answer} answer */
export function showAnswer(answer) {
  const { glyph, headline, detail } = verdictOf(answer);
  showVerdict(answer.state, glyph, headline, detail);
  showBars(answer);
  paintGrey(seen, bytesOf(answer.normalized), GRID);
  byId("box-story").textContent = boxText(answer);
  byId("latency").textContent = latencyText(answer);
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

/** Speak the answer. */
export function speak() {
  say(`${byId("headline").textContent}. ${byId("detail").textContent}`);
}

/**
 * Show which buttons of the sheet work, and the hint while the sheet is empty.
 *
 * @param {{isBlank: boolean, hasInk: boolean, canUndo: boolean, canRedo: boolean}} sheet
 */
export function showSheet({ isBlank, hasInk, canUndo, canRedo }) {
  byId("hint").hidden = !isBlank;
  const can = { undo: canUndo, redo: canRedo, clear: !isBlank, share: hasInk };
  // Not `disabled`, because a disabled button loses the keyboard focus.
  for (const [id, isPossible] of Object.entries(can)) byId(id).ariaDisabled = String(!isPossible);
}

/** @param {boolean} isOn whether fingers are ignored because a pen is in use */
export function showPenMode(isOn) {
  byId("pen-mode").hidden = !isOn;
}

/**
 * Replace the name of the Share button for a moment.
 *
 * @param {string} notice
 */
export function showShared(notice) {
  const name = byId("share-name");
  name.textContent = notice;
  say(notice);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (name.textContent = "Share"), NOTICE_MS);
}

/**
 * @param {State} state
 * @param {string} glyph
 * @param {string} headline
 * @param {string} detail
 * @param {boolean} [canRetry]
 */
function showVerdict(state, glyph, headline, detail, canRetry = false) {
  panel.dataset.state = state;
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
  byId("model-state").textContent = state === "ready" ? "Model active" : "No model";
  byId("model-text").textContent = text;
  byId("model").hidden = state === "down";
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

/** @param {number} nClasses */
function makeBars(nClasses) {
  const names = Array.from({ length: nClasses }, (_, digit) => className(digit));
  if (names.join() === barNames.join()) return;
  barNames = names;
  bars = names.map((name) => {
    const [fill, share] = [html("span.fill"), html("span.share", {}, "–")];
    return { row: html("li", {}, html("span.name", {}, name), html("span.track", {}, fill), share), fill, share };
  });
  byId("bars").replaceChildren(...bars.map(({ row }) => row));
}

/**
 * Show the probabilities. The bars stay empty if the ink is not a digit, because the probabilities assume that it is.
 *
 * @param {Pick<Answer, "state" | "digit" | "probabilities">} answer
 */
function showBars({ state, digit, probabilities }) {
  // An answer may come before the card.
  if (probabilities.length > 0) makeBars(probabilities.length);
  const offered = state === "unsure" ? bestTwo(probabilities) : [digit];
  bars.forEach(({ row, fill, share }, bar) => {
    const value = digit === null ? 0 : probabilities[bar];
    row.classList.toggle("best", offered.includes(bar));
    fill.style.width = `${100 * value}%`;
    share.textContent = digit === null ? "–" : chance(value);
  });
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

/**
 * @param {Answer} answer
 * @returns {string}
 */
function latencyText({ decodeMs, inferMs, serviceMs, roundTripMs }) {
  const durations = { "reading the request": decodeMs, "preprocessing and network": inferMs, "service in all": serviceMs, "round trip": roundTripMs };
  return Object.entries(durations)
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
