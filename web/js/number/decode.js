// Chooses the digits of a number: serving/numbers/decode.py, with the operations in the same order.

import { boxesOf, drawCandidates, findCandidates, lineHeight } from "./candidates.js";

/** @typedef {import("./candidates.js").Candidate} Candidate */

/** How many readings are kept for each set of strokes, and how many sets for each number of strokes. */
const N_READINGS = 3;
const MAX_STATES = 64;

/** A probability or score is at least this much, so that its log is finite. */
const LEAST = 1e-9;

/** A digit wider than this, in line heights, costs more. */
const USUAL_WIDTH = 1;

/** The strokes of a number. */
export const MAX_STROKES = 30;

/**
 * @typedef {object} Path
 * @property {number} cost
 * @property {number[]} digits
 * @property {number[]} used indices of the candidates
 */

/**
 * @typedef {object} State strokes that are read; the last candidate among them is known
 * @property {number} mask of the strokes
 * @property {number} last index of the last candidate, or -1
 * @property {Path[]} paths the best readings
 * @property {number} logWeight log of the sum of the weights of all readings
 */

/**
 * @typedef {object} Sketch
 * @property {number} nStrokes
 * @property {number} line
 * @property {Candidate[]} candidates
 * @property {Uint8Array<ArrayBuffer>[]} pictures that the model reads
 */

/**
 * @param {readonly Stroke[]} strokes on the sheet, at most MAX_STROKES
 * @returns {Sketch | null} null if a stroke is in no candidate
 */
export function sketchOf(strokes) {
  const boxes = boxesOf(strokes);
  const line = lineHeight(boxes);
  const candidates = findCandidates(boxes, line);
  if (new Set(candidates.flatMap((candidate) => candidate.strokes)).size < strokes.length) return null;
  return { nStrokes: strokes.length, line, candidates, pictures: drawCandidates(strokes, boxes, candidates, line) };
}

/**
 * @param {Pick<Sketch, "nStrokes" | "line" | "candidates">} sketch
 * @param {readonly (readonly number[])[]} probabilities of each class, for each candidate
 * @param {readonly number[]} scores digit score of each candidate
 * @param {NumberWeights} weights
 * @returns {{digits: number[], candidates: number[], confidence: number}[]} the best readings; none if the best has several digits and costs more than the limit
 */
export function decode({ nStrokes, line, candidates }, probabilities, scores, weights) {
  const best = probabilities.map((row) => [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, N_READINGS));
  /** @type {Map<string, State>[]} by number of strokes */
  const states = Array.from({ length: nStrokes + 1 }, () => new Map());
  states[0].set("0 -1", { mask: 0, last: -1, paths: [{ cost: 0, digits: [], used: [] }], logWeight: 0 });
  for (let nRead = 0; nRead < nStrokes; nRead += 1) {
    const kept = [...states[nRead].values()].sort((a, b) => a.paths[0].cost - b.paths[0].cost).slice(0, MAX_STATES);
    for (const { mask, last, paths, logWeight } of kept) {
      candidates.forEach((candidate, index) => {
        // A step adds the first stroke from the left that is not read yet.
        if (candidate.mask & mask || (candidate.mask & -candidate.mask) !== (~mask & (mask + 1))) return;
        const previous = last < 0 ? null : candidates[last];
        if (previous && !areOnOneLine(previous.box, candidate.box)) return;
        const cost = stepCost(previous, candidate, scores[index], line, weights);
        const longer = paths.flatMap((path) =>
          best[index].map((digit) => ({
            cost: path.cost + cost + -Math.log(Math.max(probabilities[index][digit], LEAST)),
            digits: [...path.digits, digit],
            used: [...path.used, index],
          })));
        const covered = mask | candidate.mask;
        const target = states[nRead + candidate.strokes.length];
        const known = target.get(`${covered} ${index}`);
        target.set(`${covered} ${index}`, {
          mask: covered,
          last: index,
          paths: bestOf(known ? [...known.paths, ...longer] : longer),
          logWeight: known ? logOfSum(known.logWeight, logWeight - cost) : logWeight - cost,
        });
      });
    }
  }
  const ends = [...states[nStrokes].values()];
  if (ends.length === 0) return [];
  const logWeight = ends.map((state) => state.logWeight).reduce(logOfSum);
  const found = bestOf(ends.flatMap(({ paths }) => paths));
  if (found[0].digits.length > 1 && found[0].cost > weights.max_cost) return [];
  return found.map(({ cost, digits, used }) => {
    return { digits, candidates: used, confidence: Math.min(Math.exp(-cost - logWeight), 1) };
  });
}

/**
 * @param {Candidate["box"]} previous
 * @param {Candidate["box"]} box
 * @returns {boolean} whether a digit has a height in common with the previous one
 */
const areOnOneLine = (previous, box) => box.top <= previous.bottom && previous.top <= box.bottom;

/**
 * @param {Candidate | null} previous
 * @param {Candidate} candidate
 * @param {number} score
 * @param {number} line
 * @param {NumberWeights} weights
 * @returns {number} the cost of a candidate after another one, whichever digit it is
 */
function stepCost(previous, candidate, score, line, weights) {
  let cost = weights.digit - weights.score * Math.log(Math.max(score, LEAST));
  cost += weights.gap * candidate.gap;
  cost += weights.late * candidate.nLate;
  cost += weights.lowness * candidate.lowness;
  cost += weights.width * Math.max(candidate.width - USUAL_WIDTH, 0);
  if (previous) cost += weights.overlap * (Math.max(previous.box.right - candidate.box.left, 0) / line);
  return cost;
}

/**
 * @param {Path[]} paths
 * @returns {Path[]} the best with different digits, the best first
 */
function bestOf(paths) {
  /** @type {Map<string, Path>} */
  const found = new Map();
  for (const path of [...paths].sort((a, b) => a.cost - b.cost)) {
    const key = path.digits.join(" ");
    if (!found.has(key)) found.set(key, path);
  }
  return [...found.values()].slice(0, N_READINGS);
}

/**
 * @param {number} first
 * @param {number} second
 * @returns {number}
 */
function logOfSum(first, second) {
  const [high, low] = [Math.max(first, second), Math.min(first, second)];
  return high + Math.log(1 + Math.exp(low - high));
}
