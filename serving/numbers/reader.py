"""From strokes to a number: candidates, one batch of pictures for the model, and the best reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from serving.drawing.strokes import Strokes
from serving.numbers.candidates import Box, Candidate, boxes_of, draw_candidates, find_candidates, line_height
from serving.numbers.decode import decode
from serving.numbers.weights import NumberWeights

# The strokes of a number. Each can be a digit, so a number has at most as many digits.
MAX_STROKES = 30

State = Literal["number", "unsure", "not_a_number"]
STATES: tuple[State, ...] = get_args(State)

# Pictures in one run of the model. More are not faster each.
N_IN_BATCH = 16

# Pictures uint8 [n, side, side] to probabilities [n, classes] and digit scores [n].
Answers = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Sketch:
    """The candidates of a drawing, with the pictures that the model reads."""

    n_strokes: int
    line: float
    candidates: list[Candidate]
    pictures: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Digit:
    """A digit of a number.

    Attributes:
        digit: index of the class.
        confidence: its calibrated probability.
        digit_score: probability that the strokes are one digit.
        strokes: their indices.
        box: of the pen's path, on the sheet.
    """

    digit: int
    confidence: float
    digit_score: float
    strokes: tuple[int, ...]
    box: Box


@dataclass(frozen=True)
class Number:
    """The digits of a number, from left to right.

    Attributes:
        state: "not_a_number" if a digit has a score below the model's threshold, several digits cost more than the
            model's limit or are not on one line, or a stroke is in no candidate; otherwise "unsure" if the confidence
            is below the model's threshold.
        digits: empty if there is no reading; see `decode`.
        confidence: probability of this reading among all readings of the strokes as digits; see `decode.Reading`.
        alternatives: the digits and the confidence of the next readings, at most two.
    """

    state: State
    digits: list[Digit]
    confidence: float
    alternatives: list[tuple[tuple[int, ...], float]]


NO_NUMBER = Number("not_a_number", [], 0.0, [])


def sketch(strokes: Strokes) -> Sketch | None:
    """Find and draw the candidates of a drawing. Return None if a stroke is in none of them, as it is no digit's size.

    Args:
        strokes: on the sheet, 0 to 1; at most `MAX_STROKES`.
    """
    boxes = boxes_of(strokes)
    line = line_height(boxes)
    candidates = find_candidates(boxes, line)
    if len({index for candidate in candidates for index in candidate.strokes}) < len(strokes):
        return None
    return Sketch(len(strokes), line, candidates, draw_candidates(strokes, boxes, candidates, line))


def read_sketch(
    drawn: Sketch, answers: Answers, weights: NumberWeights, min_score: float, min_confidence: float
) -> Number:
    """Return the number that the model's answers for the candidates give.

    Args:
        drawn: the candidates.
        answers: the model's, for the pictures of the candidates.
        weights: of the model file.
        min_score: a digit with a lower score is not a digit.
        min_confidence: a number with a lower confidence is unsure.
    """
    probabilities, scores = (values.tolist() for values in answers)
    readings = decode(drawn.candidates, probabilities, scores, drawn.line, drawn.n_strokes, weights)
    if not readings:
        return NO_NUMBER
    best, *others = readings
    digits = [
        Digit(digit, probabilities[index][digit], scores[index], candidate.strokes, candidate.box)
        for digit, index in zip(best.digits, best.candidates, strict=True)
        for candidate in [drawn.candidates[index]]
    ]
    is_number = min(digit.digit_score for digit in digits) >= min_score
    state = STATES[0 if best.confidence >= min_confidence else 1] if is_number else STATES[2]
    return Number(state, digits, best.confidence, [(other.digits, other.confidence) for other in others])


def read_number(
    strokes: Strokes,
    model: Callable[[npt.NDArray[np.uint8]], Answers],
    weights: NumberWeights,
    min_score: float,
    min_confidence: float,
) -> Number:
    """Read strokes on the sheet as a number. `model` reads at most `N_IN_BATCH` pictures at a time."""
    drawn = sketch(strokes)
    if drawn is None:
        return NO_NUMBER
    starts = range(0, len(drawn.pictures), N_IN_BATCH)
    parts = [model(drawn.pictures[start : start + N_IN_BATCH]) for start in starts]
    probabilities, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
    return read_sketch(drawn, (probabilities, scores), weights, min_score, min_confidence)
