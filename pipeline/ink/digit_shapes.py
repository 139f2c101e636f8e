"""Shapes of handwritten digits as control points: x to the right, y down from 0 to about 1.

A stroke is a list of pieces. Each piece is a smooth curve through its points. It starts where the previous piece ends,
with a corner there. What makes a variant unusual, such as a hook or a slash, varies from slight to strong.
"""

import math
from collections.abc import Callable

import numpy as np

Points = list[tuple[float, float]]
Skeleton = list[list[Points]]


class Hand:
    """Random choices of a writer."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def about(self, mean: float, deviation: float) -> float:
        """Return a normally distributed value, at most 2.5 standard deviations from the mean."""
        return mean + deviation * float(np.clip(self._rng.standard_normal(), -2.5, 2.5))

    def within(self, low: float, high: float) -> float:
        """Return a uniformly distributed value."""
        return float(self._rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self._rng.random() < probability)


def _arc(centre: tuple[float, float], radii: tuple[float, float], start: float, end: float, grow: float = 1) -> Points:
    """Return points on an ellipse; angles in degrees (0 right, 90 down). `grow` scales the radii at the end."""
    n_points = max(3, round(abs(end - start) / 40) + 1)
    angles = np.radians(np.linspace(start, end, n_points))
    factors = np.linspace(1, grow, n_points)
    x = centre[0] + radii[0] * factors * np.cos(angles)
    y = centre[1] + radii[1] * factors * np.sin(angles)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _zero(hand: Hand, variant: str) -> Skeleton:
    width, grow = hand.about(0.33, 0.06), hand.about(0.95, 0.08)
    if variant == "tail":  # to the right at the top, before or after the ring, flat or after a small loop inside it
        ring = _arc((0.35, 0.5), (width, 0.5), -90, -440, grow)
        if hand.chance(0.4):
            return [[[(0.35 + hand.within(0.1, 0.6), hand.about(-0.03, 0.03)), *ring]]]
        if hand.chance(0.5):
            return [[[*((0.7 - x, y) for x, y in ring), (0.35 + hand.within(0.15, 0.65), hand.about(0.0, 0.04))]]]
        depth = hand.within(0.08, 0.3)
        loop = [(0.22, 0.05 + depth / 2), (0.32, 0.05 + depth), (0.45, 0.05 + depth / 2)]
        return [[[*ring[:-1], (0.3, 0.02), *loop, (0.5 + hand.within(0.1, 0.45), hand.about(0.03, 0.03))]]]
    direction = 1 if hand.chance(0.15) else -1
    gap = hand.within(18, 48) if variant == "open" else hand.about(-10, 12)  # degrees
    # The gap is at the top, because elsewhere it makes a C.
    start, sweep = hand.about(-90, 10 if variant == "open" else 25) + direction * gap / 2, 360 - gap
    half_x, half_y = width * hand.within(0.4, 1.5), 0.5 * hand.within(0.4, 1.2)
    x, y = hand.about(0.35, 0.03), hand.about(0.5, 0.04)
    slash = [(x + half_x, y - half_y), (x - half_x, y + half_y)]
    if variant == "slashed, one stroke":
        start, sweep = hand.within(-65, -35), 360 + hand.about(0, 8)
        return [[_arc((0.35, 0.5), (width, 0.5), start, start - sweep, grow), slash[1:]]]
    strokes: Skeleton = [[_arc((0.35, 0.5), (width, 0.5), start, start + direction * sweep, grow)]]
    if variant == "slashed":
        lean = 1 if hand.chance(0.85) else -1
        strokes.append([[(x + lean * (end_x - x), end_y) for end_x, end_y in slash]])
    return strokes


def _one(hand: Hand, variant: str) -> Skeleton:
    top, bottom = (0.3, 0.0), (hand.about(0.3, 0.03), 1.0)
    stem: Points = [top, bottom]
    strokes: Skeleton = [[stem]]
    if variant.startswith("flag"):
        length = hand.within(0.14, 0.75)
        # Steeper than the bar of a 7, so that the two differ.
        tip = (top[0] - length * hand.within(0.3, 0.85), length * hand.within(0.6, 1.0))
        if variant == "flag to the line":  # like the letter Lambda
            tip, bottom = (top[0] - hand.within(0.2, 0.5), hand.within(0.7, 1.02)), (hand.within(0.3, 0.6), 1.0)
            stem[1] = bottom
        bow = ((tip[0] + top[0]) / 2 + hand.about(0.02, 0.04), (tip[1] + top[1]) / 2 + hand.about(0.02, 0.04))
        strokes = [[[tip, bow, top], stem]]
    if variant.endswith("foot"):
        y = 1 + hand.about(0.0, 0.02)
        left, right = bottom[0] - hand.within(0.1, 0.45), bottom[0] + hand.within(0.1, 0.45)
        strokes.append([[(left, y + hand.about(0, 0.015)), (right, y + hand.about(0, 0.02))]])
    return strokes


def _two(hand: Hand, variant: str) -> Skeleton:
    radius, height = hand.about(0.25, 0.05), hand.about(0.26, 0.05)
    top = _arc((0.32, height), (radius, height), hand.about(-165, 22), hand.about(25, 12))
    if variant.startswith("curled"):  # the start rolls in
        curl, turn = hand.within(0.35, 0.7), hand.within(40, 190)
        top = _arc((0.32, height), (radius * curl, height * curl), -170 - turn, -130, 1 / curl) + top[len(top) // 2 :]
    down = (hand.about(0.33, 0.03), hand.about(0.7, 0.03))
    end = (hand.about(0.72, 0.12), hand.about(0.96, 0.05))
    if variant == "angular":
        corner = (hand.about(0.04, 0.03), hand.about(0.96, 0.02))
        return [[[*top, down, corner], [(0.35, hand.about(0.96, 0.02)), end]]]
    if variant.endswith("looped"):
        size, left = hand.within(0.06, 0.38), hand.about(0.0, 0.05)
        loop = [(0.14, 0.97), (left, 0.99 - size * 0.4), (0.08, 0.98 - size), (0.28, 0.95 - size * 0.4), (0.5, 0.98)]
        return [[[*top, down, *loop, end]]]
    return [[[*top, down, (0.08, 0.93), (0.2, hand.about(0.93, 0.02)), (0.42, hand.about(0.97, 0.02)), end]]]


def _three(hand: Hand, variant: str) -> Skeleton:
    middle = hand.about(0.46, 0.04)
    lower = (1 - middle) / 2
    waist = (hand.about(0.27, 0.07), middle)
    belly = _arc((0.28, 1 - lower), (hand.about(0.33, 0.06), lower), hand.about(-70, 14), hand.about(135, 25))
    if variant == "flat":
        bar = [(hand.about(0.0, 0.03), hand.about(0.03, 0.02)), (hand.about(0.58, 0.05), hand.about(0.0, 0.02))]
        return [[bar, [waist], belly]]
    radii = (hand.about(0.25, 0.06), middle / 2)
    head = _arc((0.28, middle / 2), radii, hand.about(-145, 25), hand.about(55, 20))
    if variant == "looped":
        return [[[*head, (waist[0] - 0.06, middle - 0.01), (waist[0] - 0.05, middle + 0.05), *belly]]]
    return [[[*head, waist], belly]]


def _four(hand: Hand, variant: str) -> Skeleton:
    bar = hand.within(0.5, 0.66) if hand.chance(0.7) else hand.within(0.66, 0.82)
    left, right = (hand.about(0.02, 0.04), bar + hand.about(0.02, 0.03)), (hand.about(0.66, 0.08), bar)
    foot = (hand.about(0.44, 0.06), 1.0)
    if variant in ("closed", "one stroke closed"):
        top = (hand.about(0.5, 0.03), 0.0)
        if variant == "closed":
            return [[[top, left], [right]], [[(top[0] + hand.about(0.0, 0.02), hand.about(0.03, 0.02)), foot]]]
        return [[[right, left], [top], [foot]]]
    first = (hand.about(0.2, 0.1), hand.within(0.0, 0.15))
    top = (hand.about(0.52, 0.05), bar * hand.within(-0.1, 0.75))
    if variant == "separate":
        first = (hand.about(0.36, 0.06), hand.within(0.0, 0.1))
        start = (left[0] + hand.about(0.0, 0.03), left[1] + hand.about(0.01, 0.03))
        return [[[first, left]], [[start, right]], [[top, foot]]]
    bowl = [(left[0] + 0.02, bar * 0.7), (left[0] + 0.1, bar), (0.4, bar - 0.01)]
    if variant == "one stroke open":
        if hand.chance(0.5):
            return [[[first, left], [(hand.about(0.5, 0.03), bar - 0.06)], [foot]]]
        return [[[first, *bowl, (top[0], bar * hand.within(0.0, 0.8))], [foot]]]
    if variant == "like G":  # the bowl begins above, or even to the right of, its middle
        first = (hand.within(0.2, 0.6), hand.within(-0.02, 0.1))
        round_bowl = [(left[0] + first[0] * 0.3, bar * 0.25), *bowl]
        right = (hand.about(0.6, 0.04), bar + hand.about(-0.02, 0.03))
        if first[0] < 0.35:  # the bar turns down; with a wider top this would be a 5
            return [[[first, *round_bowl[:-1], (0.35, bar), right], [(right[0] + hand.about(-0.05, 0.05), 1.0)]]]
        stem = [(right[0], bar * hand.within(0.3, 0.95)), (right[0] + hand.about(-0.06, 0.05), 1.0)]
        return [[[first, *round_bowl, right]], [stem]]
    if variant == "narrow":  # close to a 1 with a flag or a bar
        reach = hand.within(0.12, 0.28)
        left, foot = (foot[0] - reach, bar + hand.about(0.0, 0.03)), (foot[0], 1.0)
        right = (foot[0] + hand.within(0.03, 0.2), bar)
        if hand.chance(0.5):
            return [[[(foot[0], 0.0), left], [right]], [[(foot[0] + hand.about(0.01, 0.02), 0.02), foot]]]
        return [[[(left[0] + hand.about(0.05, 0.04), hand.within(0.0, 0.25)), left], [right]], [[(foot[0], 0.1), foot]]]
    if hand.chance(0.35):
        return [[[first, *bowl, right]], [[top, foot]]]
    return [[[first, left], [right]], [[top, foot]]]


def _five(hand: Hand, variant: str) -> Skeleton:
    middle = hand.about(0.42, 0.04)
    lower = (1 - middle) / 2 + 0.03
    neck = (hand.about(0.08, 0.04), middle + 0.02)
    shoulder = (hand.about(0.14, 0.04), 0.02)
    radii = (hand.about(0.33, 0.05), lower)
    belly = _arc((0.26, 1 - lower), radii, hand.about(-110, 12), hand.about(130, 25))
    bar_end = (hand.about(0.66, 0.1), hand.about(0.0, 0.04))
    if variant == "one stroke":
        return [[[bar_end, shoulder], [neck], belly]]
    if variant == "curved":
        return [[[bar_end, (0.32, 0.01), (0.12, middle * 0.35), (0.12, middle * 0.75), (0.3, middle), *belly[2:]]]]
    gap = hand.within(0.0, 0.12) if hand.chance(0.3) else 0.0  # the bar may hang in the air
    bar_start = (shoulder[0] + gap + hand.about(0.01, 0.03), shoulder[1] - gap / 2 + hand.about(0.0, 0.03))
    return [[[shoulder, neck], belly], [[bar_start, bar_end]]]


def _six(hand: Hand, variant: str) -> Skeleton:
    half = hand.about(0.23, 0.05)
    width = hand.about(0.27, 0.05)
    centre = (0.3, 1 - half)
    loop = _arc(centre, (width, half), 175, -185 - hand.about(0, 22), hand.about(0.95, 0.06))
    if variant == "straight":
        top = (hand.about(0.34, 0.08), 0.0)
        return [[[top, ((top[0] + loop[0][0]) / 2 + hand.about(0.0, 0.015), (1 - half) / 2), *loop]]]
    top = (hand.about(0.5, 0.07), hand.about(0.02, 0.02))
    return [[[top, (hand.about(0.3, 0.03), 0.13), (hand.about(0.12, 0.02), 0.38), *loop]]]


def _seven(hand: Hand, variant: str) -> Skeleton:
    left, corner = (hand.about(0.0, 0.04), hand.about(0.04, 0.03)), (hand.about(0.6, 0.06), hand.about(0.0, 0.02))
    foot = (hand.about(0.25, 0.09), 1.0)
    bar: Points = [left, (0.3, hand.about(0.0, 0.05)), corner]
    stem: Points = [((corner[0] + foot[0]) / 2 + hand.about(-0.03, 0.05), 0.5), foot]
    if hand.chance(0.2):
        stem.append((foot[0] + hand.within(-0.15, 0.15), 1.0 - hand.within(0.0, 0.06)))
    size = hand.within(0.05, 0.2)
    # An arched bar joins the stem without a corner.
    pieces = [[*bar, *stem]] if hand.chance(0.35) else [bar, stem]
    if variant.startswith("loop"):  # where the bar meets the stem
        x, y = corner
        loop = [(x + size * 0.6, y - size * 0.3), (x + size * 0.3, y - size * 0.9), (x - size * 0.25, y - size * 0.4)]
        pieces = [[*bar, *loop, *stem]]
    if variant.startswith("serif"):
        serif = (left[0] + hand.about(-0.01, 0.02), left[1] + hand.within(0.06, 0.3))
        pieces.insert(0, [serif, left])
    if variant.startswith("curl"):  # the bar begins with a small roll
        x, y = left
        roll = [(x + size * 0.7, y + size * 0.4), (x + size * 0.4, y + size), (x - size * 0.2, y + size * 0.7)]
        pieces[0] = [*roll[hand.within(0, 1) < 0.5 :], (x, y - size * 0.1), *pieces[0][1:]]
    strokes: Skeleton = [pieces]
    if variant.endswith("crossed"):
        x, y = (corner[0] + foot[0]) / 2 + hand.about(0.0, 0.06), hand.about(0.57, 0.08)
        half = hand.within(0.1, 0.4)
        strokes.append([[(x - half, y + hand.about(0.01, 0.02)), (x + half, y - hand.about(0.02, 0.03))]])
    return strokes


def _eight(hand: Hand, variant: str) -> Skeleton:
    waist = hand.about(0.47, 0.04)
    top, bottom = hand.about(0.21, 0.05), hand.about(0.25, 0.05)  # half widths
    x = 0.3
    if variant == "circles":
        start = hand.about(90, 30)
        upper = _arc((x, waist / 2), (top, waist / 2), start, start - 360 - hand.about(0, 18))
        start, half = hand.about(-90, 30), (1 - waist) / 2
        return [[upper], [_arc((x, 1 - half - 0.01), (bottom, half), start, start - 360 - hand.about(0, 18))]]
    begin = (x + top * hand.within(0.6, 1.0), waist * hand.within(0.15, 0.45))
    end = (begin[0] + hand.about(0.0, 0.04), begin[1] + hand.about(-0.01, 0.05))
    over = x + hand.about(0.03, 0.04)
    upper = _arc((over, waist / 2), (top, waist / 2), -80, -215)
    if variant == "open":  # starts at the left, ends at the right, and may be open at the top
        begin = (x + top * hand.within(-0.9, 0.2), waist * hand.within(0.0, 0.3))
        end = (x + top * hand.within(0.6, 1.1), waist * hand.within(-0.05, 0.3))
        upper = _arc((over, waist / 2), (top, waist / 2), -175, -215)
    lower = _arc((x, (1 + waist) / 2), (bottom, (1 - waist) / 2), -30, 215)
    curve = [begin, *upper, (x, waist), *lower, (x, waist + hand.about(0.0, 0.02)), end]
    if variant == "lying":  # like a sign for infinity
        angle = math.radians(hand.within(25, 80))
        cos, sin = math.cos(angle), math.sin(angle)
        curve = [(x + cos * (a - x) - sin * (b - waist), waist + sin * (a - x) + cos * (b - waist)) for a, b in curve]
    return [[curve]]


def _nine(hand: Hand, variant: str) -> Skeleton:
    half, width = hand.about(0.23, 0.05), hand.about(0.23, 0.05)
    centre = (0.28, half)
    start = hand.about(-40, 20)
    loop = _arc(centre, (width, half), start, start - hand.about(315, 22), hand.about(1, 0.08))
    right = centre[0] + width
    joint = (right + hand.about(0.01, 0.02), half * hand.within(0.05, 0.9))
    if variant == "straight":
        return [[[*loop, joint], [(right + hand.about(-0.04, 0.05), 1.0)]]]
    if variant == "separate":
        return [[_arc(centre, (width, half), start, start - 365)], [[joint, (right + hand.about(-0.04, 0.05), 1.0)]]]
    if variant == "round":
        return [[[*loop, joint, (right - 0.02, 0.55), (right - 0.12, 0.8), (right - hand.within(0.22, 0.36), 1.0)]]]
    if variant == "flick":  # the stem ends to the right
        flick = (right + hand.within(0.06, 0.25), 1 - hand.within(0.0, 0.15))
        return [[[*loop, joint], [(right, (joint[1] + 1) / 2), (right + hand.about(0.02, 0.02), 0.97), flick]]]
    drop, reach = hand.within(0.75, 0.95), hand.within(0.18, 0.5)
    hook = _arc((right + 0.02 - reach, drop), (reach, 1 - drop + 0.02), 15, hand.within(120, 225))
    return [[[*loop, joint], [(right, (joint[1] + drop) / 2), *hook]]]


# For each digit its function, and the probabilities of its variants. Shapes that MNIST rarely has are more frequent
# than in real handwriting.
SHAPES: dict[int, tuple[Callable[[Hand, str], Skeleton], dict[str, float]]] = {
    0: (_zero, {"plain": 0.3, "slashed": 0.25, "slashed, one stroke": 0.1, "open": 0.15, "tail": 0.2}),
    1: (_one, {"bare": 0.2, "flag": 0.3, "foot": 0.1, "flag, foot": 0.25, "flag to the line": 0.15}),
    2: (_two, {"angular": 0.25, "looped": 0.3, "wavy": 0.15, "curled": 0.1, "curled, looped": 0.2}),
    3: (_three, {"round": 0.55, "flat": 0.25, "looped": 0.2}),
    4: (
        _four,
        {
            "open": 0.25,
            "closed": 0.15,
            "one stroke closed": 0.1,
            "one stroke open": 0.15,
            "separate": 0.1,
            "like G": 0.15,
            "narrow": 0.1,
        },
    ),
    5: (_five, {"two strokes": 0.5, "one stroke": 0.35, "curved": 0.15}),
    6: (_six, {"curved": 0.6, "straight": 0.4}),
    7: (
        _seven,
        {
            "plain": 0.2,
            "crossed": 0.2,
            "serif": 0.1,
            "serif, crossed": 0.1,
            "curl": 0.1,
            "curl, crossed": 0.1,
            "loop": 0.1,
            "loop, crossed": 0.1,
        },
    ),
    8: (_eight, {"one stroke": 0.45, "open": 0.2, "circles": 0.2, "lying": 0.15}),
    9: (_nine, {"hooked": 0.4, "straight": 0.2, "round": 0.2, "separate": 0.1, "flick": 0.1}),
}
