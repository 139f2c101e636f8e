"""Measure how numbers of several digits are read, and that single digits and letters do not become numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from pipeline.dataset.pictures import digit_source
from pipeline.evaluation.statistics import proportion
from pipeline.ink.warp import warp
from pipeline.nondigits.families import FAMILIES
from pipeline.sources.unipen import Drawing
from serving.drawing.strokes import Strokes, bounds
from serving.numbers.reader import NO_NUMBER, Number, read_sketch, sketch
from serving.numbers.weights import NumberWeights

# Gaps between the digits, in line heights. The pen is 0.12 wide: the ink is apart, just apart, or touches.
SPACINGS = {"spaced": (0.25, 0.5), "tight": (0.12, 0.2), "touching": (-0.1, 0.05)}
# All strokes but the first of each digit are drawn at the end, as crossbars may be.
LATE = "late_strokes"
KINDS = SPACINGS | {LATE: SPACINGS["tight"]}
LENGTHS = range(2, 9)

# How far digits leave the line, up or down, in line heights.
UNEVEN = 0.05
# Size of the number on the sheet, and the highest line.
WIDEST, HIGHEST = 0.94, 0.6
SEED = 4
N_EACH = 100  # strings of each length and kind, and letters of each family
LETTERS_SEED = 6
NOT_A_DIGIT = -1  # the label of a letter


@dataclass(frozen=True, eq=False)
class String:
    """A number of one writer.

    Attributes:
        label: the digits.
        writer: number of the writer.
        strokes: on the sheet, 0 to 1, in the order of drawing.
        owners: for each stroke, the place of its digit.
    """

    label: tuple[int, ...]
    writer: int
    strokes: Strokes
    owners: tuple[int, ...]

    @property
    def digits(self) -> list[tuple[int, ...]]:
        """Return the strokes of each digit."""
        places = range(len(self.label))
        return [tuple(index for index, owner in enumerate(self.owners) if owner == place) for place in places]


def make_string(
    drawings: Sequence[Drawing], gaps: tuple[float, float], rng: np.random.Generator, is_late: bool = False
) -> String:
    """Write drawings of one writer on a line, in the sizes that the writer gave them.

    Args:
        drawings: the digits, from left to right.
        gaps: least and largest gap between two digits, in line heights.
        rng: for the gaps and the places.
        is_late: whether all strokes but the first of each digit are drawn at the end, as crossbars may be.
    """
    heights = [float(np.ptp(np.concatenate(drawing.strokes)[:, 1])) for drawing in drawings]
    line = max(float(np.median(heights)), 1.0)
    right, parts = 0.0, []
    for place, drawing in enumerate(drawings):
        low, high = (corner.astype(np.float64) / line for corner in bounds(drawing.strokes))
        left = right + (rng.uniform(*gaps) if place else 0.0)
        shift = np.array([left - low[0], rng.uniform(-UNEVEN, UNEVEN) - (low[1] + high[1]) / 2])
        parts += [
            (number > 0 and is_late, place, stroke / line + shift) for number, stroke in enumerate(drawing.strokes)
        ]
        right = left + high[0] - low[0]
    parts.sort(key=lambda part: part[:1])  # stable
    strokes = [stroke for _, _, stroke in parts]
    corner, end = bounds(strokes)
    extent = end - corner
    scale = min(WIDEST / max(extent[0], 1e-9), HIGHEST / max(extent[1], 1e-9))
    origin = rng.uniform(0.02, 1 - 0.02 - extent * scale)
    placed = [(stroke - corner) * scale + origin for stroke in strokes]
    label = tuple(drawing.label for drawing in drawings)
    return String(label, drawings[0].writer, placed, tuple(place for _, place, _ in parts))


def make_strings(
    drawings: Sequence[Drawing], n_each: int, gaps: tuple[float, float], rng: np.random.Generator, is_late: bool
) -> list[String]:
    """Return strings of random digits, each of one writer: `n_each` of each length."""
    by_writer: dict[int, list[Drawing]] = {}
    for drawing in drawings:
        by_writer.setdefault(drawing.writer, []).append(drawing)
    writers = [by_writer[writer] for writer in sorted(by_writer)]
    strings = []
    for length in LENGTHS:
        for number in range(n_each):
            own = writers[number % len(writers)]
            chosen = [own[place] for place in rng.integers(len(own), size=length).tolist()]
            strings.append(make_string(chosen, gaps, rng, is_late))
    return strings


def make_letters(n_each: int, rng: np.random.Generator, is_held_out: bool) -> list[String]:
    """Return letters of several strokes, warped as in the test of refusal: `n_each` of each family.

    Args:
        n_each: letters of each family.
        rng: for the letters.
        is_held_out: whether the families are those of the test, or those of the training.
    """
    digits = digit_source([])
    letters = []
    for family in FAMILIES.values():
        if family.kind == "letters" and family.is_held_out == is_held_out:
            things = (family.draw(rng, digits) for _ in count())
            several = (thing for thing in things if isinstance(thing, list) and len(thing) > 1)
            drawings = [Drawing(NOT_A_DIGIT, 0, warp(strokes, rng)) for strokes in islice(several, n_each)]
            letters += [make_string([drawing], (0, 0), rng) for drawing in drawings]
    return letters


def became_number(numbers: Sequence[Number]) -> np.ndarray:
    """Return whether each is read as several digits: bool ``[n]``."""
    return np.array([len(number.digits) > 1 and number.state != "not_a_number" for number in numbers])


# Pictures uint8 [n, side, side] to the model's outputs.
Model = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def read_numbers(
    model: Model, drawings: Sequence[Strokes], weights: NumberWeights, thresholds: Mapping[str, float]
) -> list[Number]:
    """Read drawings on the sheet as numbers. The model reads all candidates of all drawings together."""
    sketches = [sketch(strokes) for strokes in drawings]
    drawn = [one for one in sketches if one]
    if not drawn:
        return [NO_NUMBER for _ in sketches]
    answers = model(np.concatenate([one.pictures for one in drawn]))
    ends = np.cumsum([len(one.pictures) for one in drawn])[:-1]
    parts = zip(*(np.split(answers[name], ends) for name in ("probabilities", "digit_score")), strict=True)
    limits = thresholds["digit_score"], thresholds["confidence"]
    return [read_sketch(one, next(parts), weights, *limits) if one else NO_NUMBER for one in sketches]


def measure_numbers(
    model: Model, drawings: Sequence[Drawing], weights: NumberWeights, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Measure strings of test writers in each spacing, their single digits, and letters. Empty without drawings.

    Returns:
        For each kind of string: ``n``, and with 95 % intervals that resample the writers ``accuracy`` (the digits are
        right), ``cut`` (the strokes are divided right) and ``read`` (the state is not "not_a_number"); the mean
        ``confidence``; ``lengths``: the accuracy by number of digits.

        For ``single`` digits: ``n`` and the share ``became_number`` that is read as several digits, also of the
        digits with several strokes. One stroke cannot become a number. For ``letters`` of several strokes, of the
        held-out families, ``n`` and ``became_number``.
    """
    if not drawings:
        return {}
    measured: dict[str, Any] = {}
    for place, (kind, gaps) in enumerate(KINDS.items()):
        strings = make_strings(drawings, N_EACH, gaps, np.random.default_rng((SEED, place)), kind == LATE)
        numbers = read_numbers(model, [string.strokes for string in strings], weights, thresholds)
        writers = np.array([string.writer for string in strings])
        lengths = np.array([len(string.label) for string in strings])
        pairs = list(zip(numbers, strings, strict=True))
        right = np.array([tuple(digit.digit for digit in number.digits) == string.label for number, string in pairs])
        cut = np.array([[digit.strokes for digit in number.digits] == string.digits for number, string in pairs])
        read = np.array([number.state != "not_a_number" for number in numbers])
        measured[kind] = {
            "n": len(strings),
            **proportion("accuracy", right, writers),
            **proportion("cut", cut, writers),
            **proportion("read", read, writers),
            "confidence": round(float(np.mean([number.confidence for number in numbers])), 6),
            "lengths": {str(length): round(float(right[lengths == length].mean()), 6) for length in LENGTHS},
        }
    rng = np.random.default_rng(SEED)
    singles = [make_string([drawing], (0, 0), rng) for drawing in drawings]
    numbers = read_numbers(model, [string.strokes for string in singles], weights, thresholds)
    writers = np.array([string.writer for string in singles])
    became = became_number(numbers)
    several = np.array([len(string.strokes) > 1 for string in singles])
    measured["single"] = {
        "n": len(singles),
        **proportion("became_number", became, writers),
        "n_several_strokes": int(several.sum()),
    }
    if several.any():
        measured["single"] |= proportion("became_number_several_strokes", became[several], writers[several])
    letters = make_letters(N_EACH, np.random.default_rng(LETTERS_SEED), is_held_out=True)
    numbers = read_numbers(model, [letter.strokes for letter in letters], weights, thresholds)
    measured["letters"] = {"n": len(letters), **proportion("became_number", became_number(numbers))}
    return measured
