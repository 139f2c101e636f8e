// Answers that take remembered drawings into account. pipeline/evaluation/memory.py computes the same.

/** Probability; limits the model's confidence, so that the same drawing again is read as corrected. */
const SMALLEST = 2e-4;

/**
 * @param {ArrayLike<number>} features unit vector of the answer
 * @param {Remembered[]} remembered
 * @param {number} nClasses
 * @returns {number[]} similarity to the nearest remembered drawing of each class, 0 if none is remembered
 */
export function nearest(features, remembered, nClasses) {
  /** @type {number[]} */
  const found = Array(nClasses).fill(0);
  for (const { vector, label } of remembered) {
    let similar = 0;
    for (let index = 0; index < vector.length; index++) similar += vector[index] * features[index];
    found[label] = Math.max(found[label], similar);
  }
  return found;
}

/**
 * Move an answer towards the digits of similar drawings. The digit score never falls.
 *
 * @param {Pick<Reading, "probabilities" | "digit_score">} answer of the model
 * @param {number[]} similarity the result of `nearest`
 * @param {NonNullable<Card["memory"]>} rule of the model's card
 * @returns {Pick<Reading, "probabilities" | "digit_score">}
 */
export function recall({ probabilities, digit_score: score }, similarity, rule) {
  const read = probabilities.indexOf(Math.max(...probabilities));
  // A single correction must not attract its neighbours.
  const least = similarity[read] > 0 ? rule.similarity : rule.unknown_similarity;
  const logits = probabilities.map(
    (value, digit) => Math.log(Math.max(value, SMALLEST)) + rule.weight * Math.max(similarity[digit] - least, 0),
  );
  const highest = Math.max(...logits);
  const odds = logits.map((logit) => Math.exp(logit - highest));
  const sum = odds.reduce((total, value) => total + value, 0);
  const gain = rule.score_weight * Math.max(Math.max(...similarity) - rule.score_similarity, 0);
  // A score of 0 is a blank image, and stays one.
  const raised = score / (score + (1 - score) * Math.exp(-gain));
  return { probabilities: odds.map((value) => value / sum), digit_score: raised };
}

/**
 * Decide the state as the service does.
 *
 * @param {Pick<Reading, "probabilities" | "digit_score">} answer of ink
 * @param {Thresholds} thresholds
 * @returns {Reading}
 */
export function decide({ probabilities, digit_score }, thresholds) {
  const confidence = Math.max(...probabilities);
  const digit = probabilities.indexOf(confidence);
  if (digit_score < thresholds.digit_score) return { state: "not_a_digit", digit: null, confidence: null, probabilities, digit_score };
  return { state: confidence < thresholds.confidence ? "unsure" : "digit", digit, confidence, probabilities, digit_score };
}
