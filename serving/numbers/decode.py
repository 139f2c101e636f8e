"""Choose the digits of a number: which strokes belong together, and which digit they are.

A reading divides all strokes among candidates and names a digit for each. Its cost is a sum: minus the log of each
digit's probability and of its digit score, a constant for each digit, and what its shape and place make unlikely. The
weight of a reading is exp(-cost). Several digits that cost too much are not a number, such as the parts of a letter.
Neither are digits in a column or in two lines: a digit has a height in common with the next one.
`web/js/number/decode.js` repeats this module, with the operations in the same order.
"""

import math
from dataclasses import dataclass

from serving.numbers.candidates import Box, Candidate
from serving.numbers.weights import USUAL_WIDTH, NumberWeights

# How many readings are kept for each set of strokes: the best, and two alternatives.
N_READINGS = 3

# The sets of strokes that are kept for each number of strokes. Handwriting has a few; strokes that all lie on one
# another would have thousands.
MAX_STATES = 64

# A probability or score is at least this much, so that its log is finite.
LEAST = 1e-9


@dataclass(frozen=True)
class Reading:
    """A number.

    Attributes:
        digits: index of the class of each digit.
        candidates: index of the candidate of each digit.
        cost: of the reading.
        confidence: the reading's weight divided by the weights of all readings: its probability if the strokes are a
            number. The weights of the cost maximise the confidence of the true readings of validation writers.
    """

    digits: tuple[int, ...]
    candidates: tuple[int, ...]
    cost: float
    confidence: float


@dataclass
class _State:
    """Some strokes are read, the last candidate among them is known.

    Attributes:
        readings: the best, as cost, digits and candidates.
        log_weight: log of the sum of the weights of all readings.
    """

    readings: list[tuple[float, tuple[int, ...], tuple[int, ...]]]
    log_weight: float


def are_on_one_line(previous: Box, box: Box) -> bool:
    """Return whether a digit has a height in common with the previous one."""
    return box.top <= previous.bottom and previous.top <= box.bottom


def step_cost(
    previous: Candidate | None, candidate: Candidate, score: float, line: float, weights: NumberWeights
) -> float:
    """Return the cost of a candidate after another one, whichever digit it is."""
    cost = weights.digit - weights.score * math.log(max(score, LEAST))
    cost += weights.gap * candidate.gap
    cost += weights.late * candidate.n_late
    cost += weights.lowness * candidate.lowness
    cost += weights.width * max(candidate.width - USUAL_WIDTH, 0.0)
    if previous:
        cost += weights.overlap * (max(previous.box.right - candidate.box.left, 0.0) / line)
    return cost


def decode(
    candidates: list[Candidate],
    probabilities: list[list[float]],
    scores: list[float],
    line: float,
    n_strokes: int,
    weights: NumberWeights,
) -> list[Reading]:
    """Return the best readings, at most `N_READINGS`.

    There is none if a stroke is in no candidate, if the digits are not on one line, or if the best has several digits
    and costs more than the limit.

    Args:
        candidates: the result of `find_candidates`.
        probabilities: of each class, for each candidate.
        scores: digit score of each candidate.
        line: the result of `line_height`.
        n_strokes: number of all strokes.
        weights: of the cost, and its limit.
    """
    best_digits = [sorted(range(len(row)), key=lambda digit: -row[digit])[:N_READINGS] for row in probabilities]
    starting: list[list[int]] = [[] for _ in range(n_strokes)]  # candidates by their first stroke from the left
    for index, candidate in enumerate(candidates):
        starting[_first_bit(candidate.mask)].append(index)
    # The states by number of strokes. A step always adds the first stroke from the left that is not read yet.
    states: list[dict[tuple[int, int], _State]] = [{} for _ in range(n_strokes + 1)]
    states[0][0, -1] = _State([(0.0, (), ())], 0.0)
    for n_read in range(n_strokes):
        kept = sorted(states[n_read].items(), key=lambda item: item[1].readings[0][0])[:MAX_STATES]
        for (mask, last), state in kept:
            for index in starting[_first_bit(~mask)]:
                candidate = candidates[index]
                previous = candidates[last] if last >= 0 else None
                if candidate.mask & mask or (previous and not are_on_one_line(previous.box, candidate.box)):
                    continue
                cost = step_cost(previous, candidate, scores[index], line, weights)
                digits = [(digit, -math.log(max(probabilities[index][digit], LEAST))) for digit in best_digits[index]]
                longer = [
                    (so_far + cost + of_digit, (*read, digit), (*used, index))
                    for so_far, read, used in state.readings
                    for digit, of_digit in digits
                ]
                log_weight = state.log_weight - cost
                target = states[n_read + len(candidate.strokes)]
                known = target.get((mask | candidate.mask, index))
                if known:
                    longer = known.readings + longer
                    log_weight = _log_of_sum(known.log_weight, log_weight)
                target[mask | candidate.mask, index] = _State(_best(longer), log_weight)
    ends = list(states[n_strokes].values())
    if not ends:
        return []
    log_weight = ends[0].log_weight
    for state in ends[1:]:
        log_weight = _log_of_sum(log_weight, state.log_weight)
    found = _best([reading for state in ends for reading in state.readings])
    readings = [Reading(digits, used, cost, min(math.exp(-cost - log_weight), 1.0)) for cost, digits, used in found]
    is_number = len(readings[0].digits) == 1 or readings[0].cost <= weights.max_cost
    return readings if is_number else []


def _first_bit(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _best(
    readings: list[tuple[float, tuple[int, ...], tuple[int, ...]]],
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Return the best readings with different digits, the best first."""
    found: dict[tuple[int, ...], tuple[float, tuple[int, ...], tuple[int, ...]]] = {}
    for reading in sorted(readings, key=lambda reading: reading[0]):
        found.setdefault(reading[1], reading)
    return list(found.values())[:N_READINGS]


def _log_of_sum(first: float, second: float) -> float:
    high, low = max(first, second), min(first, second)
    return high + math.log(1.0 + math.exp(low - high))
