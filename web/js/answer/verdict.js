// Everything that the page shows beside the ink: pure output, from the service's answers to the elements.

import { html } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { chance } from "../base/figures.js";
import { paintGrey, wipe } from "../base/grid.js";
import { GRID, bytesOf } from "../base/pixels.js";
import { say } from "../base/speech.js";

const NAMES = ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

/** How long "Link copied" stands where the button's name was. */
const NOTICE_MS = 2000;

/** @typedef {"blank" | "reading" | "digit" | "unsure" | "not_a_digit" | "error"} State of the answer on the page */

const panel = byId("answer");
const seen = byId("seen", HTMLCanvasElement);
const bars = NAMES.map((_, digit) => addBar(digit));

/** @type {number | undefined} */
let noticeTimer;

/**
 * Shows which model answers, in the figures of its own card.
 *
 * @param {Card} card
 */
export function showCard({ version, data, metrics }) {
  const facts = [`model ${version}`];
  if (data?.title) facts.push(`trained on ${data.title}`);
  if (metrics?.test_accuracy) facts.push(`best guess right for ${chance(metrics.test_accuracy)} of unseen MNIST digits`);
  if (metrics?.strokes_accuracy) facts.push(`${chance(metrics.strokes_accuracy)} of unseen writers' pen strokes`);
  showModelState("ready", facts.join(" · "));
}

/**
 * Says that there is no card and why, and offers to ask again.
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
  showBars({ digit: null, alternatives: [], probabilities: [] });
  wipe(seen);
  byId("box-story").textContent = "Your ink, cut out, scaled and centred.";
  byId("latency").textContent = "";
}

/**
 * The state between giving an image, or asking by hand, and the answer; a screen reader says it.
 *
 * @param {string} headline
 */
export function showReading(headline) {
  showVerdict("reading", "", headline, "");
  say(headline);
}

/** Tells that the card is asked for by hand. */
export function showAsking() {
  byId("banner-text").textContent = "Asking again…";
  say("Asking again…");
}

/** Has a screen reader say what came of it. */
export function speakModel() {
  say(`${byId("model-state").textContent}. ${byId("model-text").textContent}`);
}

/** @param {Answer} answer */
export function showAnswer(answer) {
  VERDICTS[answer.state](answer);
  showBars(answer);
  paintGrey(seen, bytesOf(answer.normalized), GRID);
  byId("box-story").textContent = tellBox(answer);
  byId("latency").textContent = tellLatency(answer);
}

/**
 * Shows why there is no answer, and has a screen reader say it once. What was answered before would be taken for the
 * answer, so that it goes.
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

/** Has a screen reader say what the verdict is. */
export function speak() {
  say(`${byId("headline").textContent}. ${byId("detail").textContent}`);
}

/**
 * Shows what can be done with the sheet, and the hint while it is empty.
 *
 * @param {{isBlank: boolean, hasInk: boolean, canUndo: boolean, canRedo: boolean}} sheet
 */
export function showSheet({ isBlank, hasInk, canUndo, canRedo }) {
  byId("hint").hidden = !isBlank;
  const can = { undo: canUndo, redo: canRedo, clear: !isBlank, share: hasInk };
  // Not `disabled`: a disabled button loses the keyboard's focus.
  for (const [id, isPossible] of Object.entries(can)) byId(id).ariaDisabled = String(!isPossible);
}

/**
 * Tells whether fingers are ignored because a pen is in use.
 *
 * @param {boolean} isOn
 */
export function showPenMode(isOn) {
  byId("pen-mode").hidden = !isOn;
}

/**
 * Says for a moment, where the button's name was, what has become of the link.
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

/** @type {Record<DigitState, (answer: Answer) => void>} */
const VERDICTS = {
  blank: () => showVerdict("blank", "", "No ink found", "The image is empty."),
  digit: ({ digit, confidence }) => showVerdict("digit", String(digit), NAMES[digit ?? 0], `${chance(confidence ?? 0)} confident`),
  unsure: ({ alternatives }) => {
    const [first, second] = alternatives.map(({ digit }) => digit);
    const shares = alternatives.map(({ digit, confidence }) => `${chance(confidence)} for ${digit}`);
    showVerdict("unsure", `${first}?`, `${first} or ${second}?`, `Not sure: ${shares.join(", ")}`);
  },
  // No figure: a score just below its threshold may be high, and would read as if it were a digit after all.
  not_a_digit: () => showVerdict("not_a_digit", "×", "That is not a digit", "Inkling reads one digit, 0 to 9."),
};

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
 * What is hidden with the keyboard's focus in it leaves it at the answer, or it would start anew at the page's top.
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
 * @param {number} digit
 * @returns {{row: HTMLElement, fill: HTMLElement, share: HTMLElement}}
 */
function addBar(digit) {
  const [fill, share] = [html("span.fill"), html("span.share")];
  const row = html("li", {}, html("span.name", {}, String(digit)), html("span.track", {}, fill), share);
  byId("bars").append(row);
  return { row, fill, share };
}

/**
 * Empty without a digit: the probabilities say which one it is if it is one, and of other ink nothing.
 *
 * @param {{digit: number | null, alternatives: Alternative[], probabilities: number[]}} answer
 */
function showBars({ digit, alternatives, probabilities }) {
  const offered = [digit, ...alternatives.map((each) => each.digit)];
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
function tellBox({ box, width, height }) {
  if (!box) return `No ink in ${width} × ${height} pixels.`;
  const ink = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;
  return `Your ink, ${ink} of ${width} × ${height} px, cut out, scaled and centred.`;
}

/**
 * The preprocessing has no duration of its own: it is part of the model file's graph, as the network is.
 *
 * @param {Answer} answer
 * @returns {string}
 */
function tellLatency({ decodeMs, inferMs, serviceMs, roundTripMs }) {
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
