// Texts about the model, its answers and their explanations.

import { className } from "../base/classes.js";
import { chance } from "../base/figures.js";

/**
 * Words for the classes that have one.
 *
 * @type {Record<string, string>}
 */
const WORDS = { 0: "Zero", 1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight", 9: "Nine" };

/**
 * @param {Pick<Card, "data" | "metrics">} card
 * @returns {string}
 */
export function modelText({ data, metrics }) {
  if (!data || !metrics) return "";
  const strokes = metrics.strokes_accuracy === undefined ? "" : ` and ${chance(metrics.strokes_accuracy)} of other writers’ pen strokes`;
  return `It learned from ${data.title}. Of MNIST’s test digits it reads ${chance(metrics.test_accuracy)} right${strokes}.`;
}

/**
 * @param {Reading & {isByMemory?: boolean}} answer
 * @param {number} nParts separate parts of the ink
 * @returns {{glyph: string, headline: string, detail: string}}
 */
export function verdictOf(answer, nParts) {
  const text = readingVerdict(answer, nParts);
  if (!answer.isByMemory) return text;
  // At most two lines on a phone.
  const detail = answer.state === "unsure" ? "You showed it one like this." : `${chance(answer.confidence ?? 0)} because of your drawings`;
  return { ...text, detail };
}

/**
 * @param {Reading} reading
 * @param {number} nParts separate parts of the ink
 * @returns {{glyph: string, headline: string, detail: string}}
 */
function readingVerdict({ state, digit, confidence, probabilities }, nParts) {
  if (state === "blank") return { glyph: "", headline: "No ink found", detail: "The image is empty." };
  // No figure, because a score just below the threshold would look like a digit.
  if (state === "not_a_digit") {
    const headline = nParts > 1 ? "Several things" : "Not a digit";
    return { glyph: "×", headline, detail: "It reads the digits 0\u00a0to\u00a09." };
  }
  if (state === "unsure") {
    const [first, second] = bestTwo(probabilities).map(className);
    const shares = bestTwo(probabilities).map((each) => `${chance(probabilities[each])} for ${className(each)}`);
    return { glyph: `${first}?`, headline: `${first} or ${second}?`, detail: shares.join(", ") };
  }
  const name = className(digit ?? 0);
  return { glyph: name, headline: WORDS[name] ?? name, detail: `${chance(confidence ?? 0)} confident` };
}

/**
 * @param {Reading} reading
 * @returns {string} the reading, as the end of a sentence
 */
export function readingText({ state, probabilities }) {
  const two = bestTwo(probabilities);
  const [first, second] = two.map(className);
  if (state === "blank") return "nothing at all";
  if (state === "not_a_digit") return "not a digit";
  if (state === "unsure") return `${first} or ${second}, unsure`;
  return `${first} (${chance(probabilities[two[0]])})`;
}

/**
 * Return the index of the window that matters most. A window that changes the reading goes before all others.
 *
 * @param {Reading} whole the reading of all the ink
 * @param {Reading[]} without the reading without each window
 * @param {number[]} changes of the probability without each window
 * @returns {number}
 */
export function mostDecisive(whole, without, changes) {
  const decisive = [...without.keys()].filter((index) => !isSame(whole, without[index]));
  const among = decisive.length > 0 ? decisive : [...without.keys()];
  return among.reduce((most, index) => (changes[index] > changes[most] ? index : most));
}

/**
 * @param {Reading} whole the reading of all the ink
 * @param {Reading} without the reading without the most decisive window
 * @param {string} part the place of that window
 * @returns {string} a sentence about the part of the ink that matters most
 */
export function occlusionText(whole, without, part) {
  if (!isSame(whole, without)) {
    const other = without.state === "not_a_digit" ? "not be read as a digit" : `be read as ${readingText(without)}`;
    return `Without its ${part} part it would ${other}.`;
  }
  if (!isRead(whole)) return "It is not read as a digit, whichever part is left out.";
  const digit = best(whole);
  const [from, to] = [whole, without].map(({ probabilities, digit_score }) => chance(probabilities[digit] * digit_score));
  if (from === to) return `No single part decides: it stays ${className(digit)} without any of them.`;
  const most = `The ${part} part matters most: without it the chance goes from ${from} to ${to}.`;
  return `It stays ${className(digit)} without any one part. ${most}`;
}

/**
 * @param {{right: number, down: number}} shift pixels
 * @returns {string} such as "1.5 px left, 2 down"
 */
export function shiftText({ right, down }) {
  const across = right && `${Math.abs(right)} px ${right < 0 ? "left" : "right"}`;
  const along = down && `${Math.abs(down)}${right ? "" : " px"} ${down < 0 ? "up" : "down"}`;
  return [across, along].filter(Boolean).join(", ") || "Already there";
}

/**
 * @param {Reading} reading
 * @returns {boolean} whether the ink is read as a digit, with or without certainty
 */
export function isRead({ state }) {
  return state === "digit" || state === "unsure";
}

/**
 * @param {Reading} one
 * @param {Reading} other
 * @returns {boolean} whether both have the same text
 */
export function isSame(one, other) {
  return one.state === other.state && (!isRead(one) || best(one) === best(other));
}

/**
 * @param {number[]} probabilities
 * @returns {number[]} the two most probable digits, the best first
 */
export function bestTwo(probabilities) {
  return [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 2);
}

/**
 * @param {Reading} reading
 * @returns {number} the most probable digit
 */
export function best({ probabilities }) {
  return probabilities.indexOf(Math.max(...probabilities));
}
