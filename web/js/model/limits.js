// What the model gets wrong, in sentences made from its card.

import { count, counted, interval, percent, words } from "../base/figures.js";

/** The tests as the card names them, and how they read. */
const TESTS = /** @type {const} */ ([
  ["mnist", "MNIST’s test images"],
  ["strokes", "pen strokes"],
]);

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
 * @param {CardEvaluation | undefined} evaluation
 * @param {Record<string, number>} [metrics]
 * @returns {string[]} sentences; none where the card tells nothing that they could be made from
 */
export function tellLimits(evaluation, metrics = {}) {
  const sentences = TESTS.flatMap(([key, name]) => {
    const confusion = evaluation?.confusion?.[key];
    return confusion ? [tellConfusions(name, confusion)] : [];
  });
  return [...sentences, ...tellSurest(evaluation), ...tellFamilies(evaluation), ...tellCost(metrics)];
}

/**
 * @param {string} test
 * @param {number[][]} confusion
 * @returns {string}
 */
function tellConfusions(test, confusion) {
  const [worst, second] = rankConfusions(confusion);
  if (!worst) return `On ${test}, no digit is taken for another.`;
  const first = `On ${test}, ${worst.actual} is most often taken for ${worst.predicted} (${tellShare(worst)})`;
  return second ? `${first}, and ${second.actual} for ${second.predicted} (${tellShare(second)}).` : `${first}.`;
}

/**
 * @param {{n: number, total: number}} confusion
 * @returns {string}
 */
function tellShare({ n, total }) {
  return `${count(n)} of ${count(total)}`;
}

/**
 * @param {CardEvaluation | undefined} evaluation
 * @returns {string[]}
 */
function tellSurest(evaluation) {
  const mistakes = evaluation?.mistakes ?? [];
  const told = mistakes.filter(({ state }) => state === "digit");
  if (told.length === 0) return [];
  const surest = Math.max(...told.map(({ confidence }) => confidence));
  const verb = told.length === 1 ? "is" : "are";
  return [`Of ${counted(mistakes.length, "misread digit")}, ${count(told.length)} ${verb} told as certain, with up to ${percent(surest)} confidence.`];
}

/**
 * @param {CardEvaluation | undefined} evaluation
 * @returns {string[]}
 */
function tellFamilies(evaluation) {
  const families = Object.entries(evaluation?.refusal?.families ?? {});
  const unseen = families.filter(([, { is_held_out }]) => is_held_out);
  const [worst] = unseen.sort(([, one], [, other]) => one.refused - other.refused);
  if (!worst) return [];
  const [name, { refused, refused_low, refused_high, digit }] = worst;
  return [
    `Of what is no digit and was kept from training, ${words(name)} get past most often: ` +
      `${percent(refused, 1)} (${interval(refused_low, refused_high, 1)}) are refused, and ${percent(digit, 1)} are taken for a digit.`,
  ];
}

/**
 * @param {Record<string, number>} metrics
 * @returns {string[]}
 */
function tellCost({ test_refused, strokes_refused }) {
  const costs = [];
  if (test_refused !== undefined) costs.push(`${percent(test_refused)} of MNIST’s test digits`);
  if (strokes_refused !== undefined) costs.push(`${percent(strokes_refused)} of the pen strokes`);
  return costs.length ? [`In turn it refuses ${costs.join(" and ")}, which are digits.`] : [];
}
