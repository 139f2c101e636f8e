// A number of several digits: beside the sheet, and each digit's strokes on it in a colour of their own.

import { className } from "../base/classes.js";
import { byId } from "../base/dom.js";
import { chance } from "../base/figures.js";
import { html, track } from "../base/markup.js";

/** Colours in tokens.css; they repeat after the last. */
const N_COLOURS = 4;

/** The least sure digit is named below this confidence. */
const SURE = 0.99;

/** From a box's lower side, which is that of the pen's path, to the mark under the ink, and the lowest mark. */
const BELOW_INK = 0.04;
const LOWEST = 0.92;

const bars = byId("bars");
const list = byId("number-digits", HTMLOListElement);
const marks = byId("number-marks");
const title = byId("live-title");
const choices = byId("live-digits");
const TITLE = title.textContent;
/** @type {NumberAnswer | null} */
let shown = null;

/**
 * A single digit never becomes a number: one digit is none, and a sure digit wins against an unsure number.
 *
 * @param {NumberAnswer | null} number
 * @param {Reading} reading of all strokes as one digit
 * @returns {boolean} whether the strokes are read as several digits
 */
export function isNumber(number, reading) {
  if (number === null || number.digits.length < 2) return false;
  return number.state === "number" || (number.state === "unsure" && reading.state !== "digit");
}

/**
 * @param {NumberAnswer} number
 * @returns {string} the words below the number
 */
export function detailOf({ state, confidence, digits, alternatives }) {
  const sure = `${chance(confidence ?? 0)} confident`;
  if (state === "unsure" && alternatives.length > 0) return `Not sure, or is it ${alternatives[0].number}? ${sure}`;
  const least = digits.reduce((low, digit) => (digit.confidence < low.confidence ? digit : low));
  return least.confidence < SURE ? `${sure}, least of the ${className(least.digit)}: ${chance(least.confidence)}` : sure;
}

/**
 * Show the digits in place of the bars, mark them on the sheet, and offer to explain each. The first is explained at once.
 *
 * @param {NumberAnswer} number with two digits or more
 * @param {(strokes: number[]) => void} explain runs with the indices of a digit's strokes
 */
export function show(number, explain) {
  shown = number;
  list.replaceChildren(...number.digits.map(({ digit, confidence }, place) => {
    return html("li", { class: colourClass(place) }, html("span.name", {}, className(digit)), track(confidence), html("span.share", {}, chance(confidence)));
  }));
  marks.replaceChildren(...number.digits.map(({ digit, box }, place) => {
    const mark = html("span", { class: colourClass(place) }, className(digit));
    mark.style.left = `${50 * (box.left + box.right)}%`;
    mark.style.width = `${100 * (box.right - box.left)}%`;
    mark.style.top = `${100 * Math.min(box.bottom + BELOW_INK, LOWEST)}%`;
    return mark;
  }));
  const buttons = number.digits.map(({ digit, strokes }, place) => {
    const choose = () => {
      for (const each of buttons) each.ariaPressed = String(each === buttons[place]);
      explain(strokes);
    };
    return html("button", { type: "button", class: colourClass(place), onclick: choose }, className(digit));
  });
  choices.replaceChildren(...buttons);
  buttons[0].click();
  title.textContent = "What the network sees of digit";
  list.hidden = marks.hidden = choices.hidden = false;
  bars.hidden = true;
}

/** Show the bars again. */
export function hide() {
  shown = null;
  title.textContent = TITLE;
  list.hidden = marks.hidden = choices.hidden = true;
  bars.hidden = false;
}

/**
 * @param {NumberAnswer} number
 * @returns {HTMLElement[]} its digits, each in its colour
 */
export function headlineOf({ digits }) {
  return digits.map(({ digit }, place) => html("span", { class: colourClass(place) }, className(digit)));
}

/**
 * @param {number} index of a stroke
 * @returns {string | undefined} the colour of its digit, in the theme of the moment
 */
export function colourOf(index) {
  const place = shown?.digits.findIndex(({ strokes }) => strokes.includes(index)) ?? -1;
  return place < 0 ? undefined : getComputedStyle(list.children[place]).color;
}

/**
 * @param {number} place of a digit in its number
 * @returns {string}
 */
function colourClass(place) {
  return `hue-${place % N_COLOURS}`;
}
