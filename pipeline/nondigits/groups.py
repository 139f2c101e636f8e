"""Several digits together, pieces of digits, and single digits that are struck out."""

from typing import Protocol

import numpy as np

from pipeline.ink.digit_shapes import SHAPES, Hand
from pipeline.ink.geometry import cut, fit, resample, transform
from pipeline.ink.skeletons import trace
from serving.drawing.strokes import Stroke, Strokes, bounds


class DigitSource(Protocol):
    """A function that makes digits."""

    def __call__(self, rng: np.random.Generator, label: int | None = None) -> tuple[int, Strokes]:
        """Return the label and the strokes of a digit; None: of any class."""


# One bar makes a slashed 0 or a crossed 7, and is invisible on a 1 or a 4: these digits get two bars or a cross.
NOT_WITH_ONE_BAR = (0, 1, 4, 7)
# Digits of which the lower or the upper part is not a digit.
LOWER_PARTS, UPPER_PARTS = (0, 2, 3, 5), (0, 2, 4, 5)
CUT_STEP = 0.02  # distance between the points of a line that is cut


def draw_few(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw two or three digits in a row, some of them touching, or in a column."""
    together = _row if rng.random() < 0.8 else _column
    return fit(together(rng, digits, int(rng.integers(2, 4))))


def draw_many(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw four to six digits in a row, four in a square, three on a diagonal, or two or three in a ring."""
    kind = rng.integers(4)
    if kind == 0:
        return fit(_row(rng, digits, int(rng.integers(4, 7))))
    if kind == 1:
        return fit(_row(rng, digits, 2) + transform(_row(rng, digits, 2), 1.0, (0.0, 1.4)))
    if kind == 2:
        slope = rng.choice([-1, 1]) * rng.uniform(0.6, 1)
        steps = [transform(_digit(rng, digits)[1], 1.0, (1.1 * i, 1.1 * i * slope)) for i in range(3)]
        return fit([stroke for strokes in steps for stroke in strokes])
    inside = _row(rng, digits, int(rng.integers(2, 4)))
    return fit([*inside, _ring(rng, inside)])


def draw_pair(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw two digits that touch or nearly do, in half of the cases a 1 and another digit."""
    first, second = _digit(rng, digits, 1 if rng.random() < 0.5 else None), _digit(rng, digits)
    labels = (first[0], second[0])
    # Joined, 13 is a B, 10 a D, and 01 an a.
    low, high = (0.15, 0.35) if labels[1] == 1 or labels in ((1, 0), (1, 3)) else (-0.08, 0.3)
    return fit(_beside(first[1], second[1], rng.uniform(max(low, 0.02) if labels[0] == 1 else low, high)))


def draw_one_and_half(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw a digit beside the left or right part of another one, as a careless crop does."""
    whole, other = _digit(rng, digits)[1], _digit(rng, digits, int(rng.choice([0, 2, 3, 4, 5, 6, 8, 9])))[1]
    share, gap = rng.uniform(0.35, 0.65), rng.uniform(0.1, 0.35)
    if rng.random() < 0.5:
        return fit(_beside(whole, _part(other, 0, 0.0, share), gap))
    return fit(_beside(_part(other, 0, share, 1.0), whole, gap))


def draw_piece(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw the upper or the lower part of a digit, or a 4 without its stem."""
    kind = rng.integers(5)
    if kind == 0:
        shape, _ = SHAPES[4]
        return trace(shape(Hand(rng), str(rng.choice(["open", "closed", "separate"])))[:-1], rng)
    share = rng.uniform(0.3, 0.48)
    if kind < 3:
        return fit(_part(digits(rng, int(rng.choice(LOWER_PARTS)))[1], 1, 1 - share, 1.0))
    return fit(_part(digits(rng, int(rng.choice(UPPER_PARTS)))[1], 1, 0.0, share))


def draw_cut_number(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw the upper or the lower part of two or three digits in a row."""
    low = rng.choice([0.0, rng.uniform(0.4, 0.6)])
    return fit(_part(_row(rng, digits, int(rng.integers(2, 4))), 1, low, low + rng.uniform(0.4, 0.6)))


def draw_struck(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw a digit with one straight line, two parallel lines or a cross through it."""
    label, strokes = digits(rng)
    strokes = fit(strokes)
    kind = rng.integers(1 if label in NOT_WITH_ONE_BAR else 0, 3)
    if kind == 0:
        return fit([*strokes, _bar(rng, strokes, rng.choice([0.0, rng.uniform(-0.8, 0.8)]), 0.0)])
    if kind == 1:
        slope, lift = rng.uniform(-0.4, 0.4), rng.uniform(0.12, 0.18)
        return fit([*strokes, _bar(rng, strokes, slope, -lift), _bar(rng, strokes, slope, lift)])
    slope = rng.uniform(0.7, 1.2)
    return fit([*strokes, _bar(rng, strokes, slope, 0.0), _bar(rng, strokes, -slope, 0.0)])


def draw_scratched(rng: np.random.Generator, digits: DigitSource) -> Strokes:
    """Draw a digit under a zigzag, under a wavy line, or in a ring with a slash."""
    label, strokes = digits(rng)
    strokes = fit(strokes)
    kind = rng.integers(2 if label in NOT_WITH_ONE_BAR else 3)
    if kind == 0:
        return fit([*strokes, _scratch(rng)])
    if kind == 1:
        # Always a round ring, because a narrow one with a slash is a slashed 0.
        square = np.array([(-0.5, -0.5), (0.5, 0.5)], np.float32)
        ring = _ring(rng, [square])
        low, high = bounds([ring])
        reach = (high - low) * 0.36
        slash = np.stack([(low + high) / 2 - reach, (low + high) / 2 + reach]).astype(np.float32)
        return fit([*strokes, ring, slash])
    t = np.linspace(-0.7, 0.7, 60)
    wave = rng.uniform(0.08, 0.14) * np.sin(rng.uniform(14, 24) * t) + rng.uniform(-0.3, 0.3) * t
    return fit([*strokes, np.stack([t, wave], axis=1).astype(np.float32)])


def _digit(rng: np.random.Generator, digits: DigitSource, label: int | None = None) -> tuple[int, Strokes]:
    label, strokes = digits(rng, label)
    return label, transform(fit(strokes), rng.uniform(0.85, 1.1), (0.0, rng.normal(0, 0.05)))


def _part(strokes: Strokes, axis: int, low: float, high: float) -> Strokes:
    """Return the part of a drawing between two shares of its width (axis 0) or height (axis 1)."""
    lowest, highest = bounds(strokes)
    ends = lowest[axis] + np.array([low, high]) * (highest - lowest)[axis]
    step = CUT_STEP * float((highest - lowest).max())
    return cut([resample(stroke, step).astype(np.float32) for stroke in strokes], axis, *ends.tolist())


def _beside(left: Strokes, right: Strokes, gap: float) -> Strokes:
    return left + transform(right, 1.0, (float(bounds(left)[1][0] - bounds(right)[0][0]) + gap, 0.0))


def _row(rng: np.random.Generator, digits: DigitSource, n_digits: int) -> Strokes:
    # Neighbours may touch, but not a 1, because it would turn them into another digit.
    row: Strokes = []
    right, before = 0.0, 1
    for _ in range(n_digits):
        label, strokes = _digit(rng, digits)
        low, high = bounds(strokes)
        gap = rng.uniform(0.25 if 1 in (label, before) else -0.06, 0.45)
        row += transform(strokes, 1.0, (right + gap - low[0], 0.0))
        right, before = right + gap + float(high[0] - low[0]), label
    return row


def _column(rng: np.random.Generator, digits: DigitSource, n_digits: int) -> Strokes:
    # Well apart, because a 0 on a 0 makes an 8. Several 1s are shifted, because they would make one long 1.
    drawn = [_digit(rng, digits) for _ in range(n_digits)]
    sideways = 0.5 if all(label == 1 for label, _ in drawn) else 0.0
    column: Strokes = []
    bottom = 0.0
    for i, (_, strokes) in enumerate(drawn):
        low, high = bounds(strokes)
        top = bottom + rng.uniform(0.3, 0.6)
        column += transform(strokes, 1.0, (i * sideways + rng.normal(0, 0.1), top - low[1]))
        bottom = top + float(high[1] - low[1])
    return column


def _ring(rng: np.random.Generator, inside: Strokes) -> Stroke:
    low, high = bounds(inside)
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.96, 1.08), 80) + rng.uniform(0, 2 * np.pi)
    wobble = 1 + 0.04 * np.sin(t * 2 + rng.uniform(0, 6)) + 0.02 * np.sin(t * 3 + rng.uniform(0, 6))
    radii = (high - low) * rng.uniform(0.65, 0.8) + 0.15
    around = wobble[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1) * radii
    return ((low + high) / 2 + around).astype(np.float32)


def _bar(rng: np.random.Generator, strokes: Strokes, slope: float, lift: float) -> Stroke:
    low, high = bounds(strokes)
    reach = max(float(high[0] - low[0]), 0.5) / 2 + rng.uniform(0.05, 0.25, 2)  # beyond the digit on both sides
    ends = np.array([(-reach[0], -reach[0] * slope), (reach[1], reach[1] * slope)])
    ends[:, 1] = np.clip(ends[:, 1], -0.65, 0.65) + lift
    centre = (low + high) / 2 + rng.normal(0, 0.04, 2)
    return (centre + ends + rng.normal(0, 0.02, (2, 2))).astype(np.float32)


def _scratch(rng: np.random.Generator) -> Stroke:
    n_turns = int(rng.integers(6, 14))
    y = np.linspace(-0.4, 0.4, n_turns) * rng.uniform(0.6, 1) + rng.normal(0, 0.03, n_turns)
    x = np.where(np.arange(n_turns) % 2, 1, -1) * rng.uniform(0.35, 0.55, n_turns)
    return np.stack([x, y + rng.uniform(0.1, 0.3) * x], axis=1).astype(np.float32)
