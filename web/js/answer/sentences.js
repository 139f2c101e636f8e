// Sentences about readings and shifts, for the explaining parts of the page.

import { chance } from "../base/figures.js";

/** @typedef {NetworkAnswer["answers"][number]} Reading what the network says of one grid */

/**
 * @param {Reading} reading
 * @returns {string} what the ink is read as, to end a sentence with
 */
export function tellReading({ state, probabilities }) {
  const [first, second] = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  if (state === "blank") return "nothing at all";
  if (state === "not_a_digit") return "not a digit";
  if (state === "unsure") return `${first} or ${second}, unsure`;
  return `${first} (${chance(probabilities[first])})`;
}

/**
 * Which window the answer hangs on most: of those without which the ink is read as something else, if there are any.
 *
 * @param {Reading} whole the reading of all the ink
 * @param {Reading[]} without the reading without each window
 * @param {number[]} changes by how much the chance changes without each
 * @returns {number} its index
 */
export function mostTelling(whole, without, changes) {
  const telling = [...without.keys()].filter((index) => !isSame(whole, without[index]));
  const among = telling.length > 0 ? telling : [...without.keys()];
  return among.reduce((most, index) => (changes[index] > changes[most] ? index : most));
}

/**
 * What the answer hangs on most, in words.
 *
 * @param {Reading} whole the reading of all the ink
 * @param {Reading} without the reading without the most telling window
 * @param {string} part where that window lies
 * @returns {string}
 */
export function tellHold(whole, without, part) {
  if (!isSame(whole, without)) return `Without its ${part} part it would be read as ${tellReading(without)}.`;
  if (!isRead(whole)) return "It is not read as a digit, whichever part is left out.";
  const digit = best(whole);
  const [from, to] = [whole, without].map(({ probabilities, digit_score }) => chance(probabilities[digit] * digit_score));
  if (from === to) return `No single part decides: it stays ${digit} without any of them.`;
  const most = `The ${part} part matters most: without it the chance goes from ${from} to ${to}.`;
  return `It stays ${digit} without any one part. ${most}`;
}

/**
 * @param {{right: number, down: number}} shift pixels
 * @returns {string} such as "1.5 px left, 2 down"
 */
export function tellShift({ right, down }) {
  const across = right && `${Math.abs(right)} px ${right < 0 ? "left" : "right"}`;
  const along = down && `${Math.abs(down)}${right ? "" : " px"} ${down < 0 ? "up" : "down"}`;
  return [across, along].filter(Boolean).join(", ") || "Already there";
}

/**
 * @param {Reading} reading
 * @returns {boolean} whether the ink is taken for a digit, if not surely for which
 */
export function isRead({ state }) {
  return state === "digit" || state === "unsure";
}

/**
 * @param {Reading} one
 * @param {Reading} other
 * @returns {boolean} whether both would be told alike
 */
function isSame(one, other) {
  return one.state === other.state && (!isRead(one) || best(one) === best(other));
}

/**
 * @param {Reading} reading
 * @returns {number} the most probable digit
 */
export function best({ probabilities }) {
  return probabilities.indexOf(Math.max(...probabilities));
}
