// Sentences about the model's errors, made from its card.

import { className } from "../base/classes.js";
import { count, counted, interval, percent, words } from "../base/figures.js";

/** The key of each test in the card, and its name in a sentence. */
const TESTS = /** @type {const} */ ([
  ["mnist", "MNIST’s test images"],
  ["strokes", "pen strokes"],
]);

/** Letters that were never taught to be refused, because nobody could tell. */
const ALIKE = "A letter in the shape of a digit is read as one: O as 0, l as 1, Z as 2, S as 5, b as 6, B as 8, g and q as 9.";

/**
 * @param {number[][]} confusion
 * @returns {{actual: number, predicted: number, n: number, total: number}[]} the confusions, the largest share of a digit first
 */
export function rankConfusions(confusion) {
  return confusion
    .flatMap((row, actual) => {
      const total = row.reduce((sum, n) => sum + n, 0);
      return row.map((n, predicted) => ({ actual, predicted, n, total }));
    })
    .filter(({ actual, predicted, n }) => actual !== predicted && n > 0)
    .sort((one, other) => other.n / other.total - one.n / one.total);
}

/**
 * @param {CardEvaluation} evaluation
 * @param {Record<string, number>} metrics
 * @returns {string[]} at most four points, of a sentence or two
 */
export function limitPoints({ confusion, mistakes, refusal }, { test_refused, strokes_refused }) {
  const strokes = strokes_refused === undefined ? "" : ` and ${percent(strokes_refused)} of the pen strokes`;
  const refused = `In turn it refuses ${percent(test_refused)} of MNIST’s test digits${strokes}, which are digits.`;
  return [
    TESTS.flatMap(([key, name]) => confusionSentence(name, confusion[key])).join(" "),
    ...mistakeSentence(mistakes),
    [...refusalSentence(refusal.families), refused].join(" "),
    ALIKE,
  ];
}

/**
 * @param {string} test
 * @param {number[][]} [confusion]
 * @returns {string[]} one sentence, or none without this test
 */
function confusionSentence(test, confusion) {
  if (!confusion) return [];
  const [worst, second] = rankConfusions(confusion);
  if (!worst) return [`On ${test}, no digit is taken for another.`];
  const first = `On ${test}, ${className(worst.actual)} is most often taken for ${className(worst.predicted)} (${count(worst.n)} of ${count(worst.total)})`;
  return [second ? `${first}, and ${className(second.actual)} for ${className(second.predicted)} (${count(second.n)} of ${count(second.total)}).` : `${first}.`];
}

/**
 * @param {Mistake[]} mistakes
 * @returns {string[]} one sentence, or none if every misread digit was refused or unsure
 */
function mistakeSentence(mistakes) {
  const confident = mistakes.filter(({ state }) => state === "digit");
  if (confident.length === 0) return [];
  const surest = Math.max(...confident.map(({ confidence }) => confidence));
  const verb = confident.length === 1 ? "is" : "are";
  return [`Of ${counted(mistakes.length, "misread digit")}, ${count(confident.length)} ${verb} told as certain, with up to ${percent(surest)} confidence.`];
}

/**
 * @param {Record<string, RefusalFamily>} families
 * @returns {string[]} one sentence, or none if no family was held out
 */
function refusalSentence(families) {
  const unseen = Object.entries(families).filter(([, { is_held_out }]) => is_held_out);
  const [worst] = unseen.sort(([, one], [, other]) => one.refused - other.refused);
  if (!worst) return [];
  const [name, { refused, refused_low, refused_high, digit }] = worst;
  return [
    `Of what is no digit and was kept from training, ${words(name)} get past most often: ` +
      `${percent(refused, 1)} (${interval(refused_low, refused_high, 1)}) are refused, and ${percent(digit, 1)} are taken for a digit.`,
  ];
}
