"""Several digits together, and single digits that are struck out."""

from collections.abc import Callable

import numpy as np

from pipeline.ink.hand import fit, transform
from serving.drawing.strokes import Stroke, Strokes, bounds

DigitSource = Callable[[np.random.Generator], tuple[int, Strokes]]  # makes a digit: label and strokes

# One bar makes a slashed 0 or a crossed 7, and is invisible on a 1 or a 4: these digits get two bars or a cross.
NOT_WITH_ONE_BAR = (0, 1, 4, 7)


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


def _digit(rng: np.random.Generator, digits: DigitSource) -> tuple[int, Strokes]:
    label, strokes = digits(rng)
    return label, transform(fit(strokes), rng.uniform(0.85, 1.1), (0.0, rng.normal(0, 0.05)))


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
