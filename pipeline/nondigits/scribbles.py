"""Scribbles, curves, dots and dashes. Training and test have different generators."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from pipeline.ink.geometry import length, rotation, transform
from serving.drawing.strokes import Stroke, Strokes, bounds

# Length of the path, relative to the diagonal of its box. An 8 has about 3, the most of all digits.
SCRIBBLE_LENGTH = 5.5  # more than a 0 or an 8 drawn twice
CURVE_LENGTH = 3.3
TILT_RAD = 0.3  # a steeper dash is a 1


def draw_scribble(rng: np.random.Generator) -> Strokes:
    """Draw one or two strokes of a pen that wanders and returns to the middle."""
    n_strokes = int(rng.choice([1, 1, 1, 2]))
    strokes = _until_long(lambda: [_walk(rng) for _ in range(n_strokes)], SCRIBBLE_LENGTH)
    return transform(transform(strokes, np.diag([1.0, rng.uniform(0.5, 1.0)])), rotation(rng.uniform(0, np.pi)))


def draw_curves(rng: np.random.Generator) -> Strokes:
    """Draw smooth curves through random points: three short ones, or a long one that crosses itself."""
    counts = [int(rng.integers(8, 12))] if rng.random() < 0.5 else [int(n) for n in rng.integers(4, 6, 3)]
    return _until_long(lambda: [_curve(rng.uniform(-1, 1, (n_points, 2))) for n_points in counts], CURVE_LENGTH)


def draw_dots_and_dashes(rng: np.random.Generator) -> Strokes:
    """Draw a dot, a horizontal dash, or two to seven of them at random places."""
    kind = rng.integers(5)
    if kind == 0:
        return [np.zeros((1, 2), np.float32)]
    if kind == 1:
        return [_dash(rng, np.zeros(2), 1.0, TILT_RAD)]
    n_marks = int(rng.integers(2, 8))
    places = _apart(rng, n_marks)
    share = float(rng.choice([0.0, 0.5, 1.0]))
    # All dashes are nearly horizontal, because two steep ones end to end would be a 1.
    return [
        _dash(rng, place, rng.uniform(0.2, 0.5), TILT_RAD) if rng.random() < share else place[None].astype(np.float32)
        for place in places
    ]


def draw_hatching(rng: np.random.Generator) -> Strokes:
    """Draw a zigzag, a coil or a rosette: regular scribbles, unlike `draw_scribble`."""
    return [_to_and_fro, _coil, _rosette][int(rng.integers(3))](rng)


def draw_dice(rng: np.random.Generator) -> Strokes:
    """Draw a grid of dots, the five of a die, or a row of dots and dashes as in Morse code."""
    kind = rng.integers(3)
    if kind == 0:
        columns, rows = rng.integers(2, 5, 2)
        places = [(x, y) for x in range(columns) for y in range(rows)]
    elif kind == 1:
        places = [(0, 0), (2, 0), (1, 1), (0, 2), (2, 2)]
    else:
        return _morse(rng)
    return [(np.array([place]) + rng.normal(0, 0.07, (1, 2))).astype(np.float32) for place in places]


def _until_long(draw: Callable[[], Strokes], longer_than: float) -> Strokes:
    # A short scribble may look like a digit, so it is drawn again.
    while True:
        strokes = draw()
        if length(strokes) > longer_than * np.hypot(*np.ptp(bounds(strokes), axis=0)):
            return strokes


def _walk(rng: np.random.Generator) -> Stroke:
    # Little wandering with a strong pull would repeat a loop: a bold 0 or 8.
    wander, pull = rng.uniform(0.15, 0.5), rng.uniform(0.1, 0.3)
    x, y, heading = rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7), rng.uniform(0, 2 * math.pi)
    bend, points = 0.0, []
    for push in rng.normal(0, wander, int(rng.integers(120, 350))).tolist():
        points.append((x, y))
        homeward = x * math.sin(heading) - y * math.cos(heading)  # distance times the sine of the angle to the middle
        bend = 0.8 * bend + 0.3 * push + 0.2 * pull * homeward
        heading += bend
        x, y = x + 0.1 * math.cos(heading), y + 0.1 * math.sin(heading)
    return np.array(points, np.float32)


def _curve(knots: npt.NDArray[np.float64]) -> Stroke:
    # centripetal, to avoid cusps
    along = np.concatenate([[0.0], np.cumsum(np.sqrt(np.hypot(*np.diff(knots, axis=0).T)))])
    return CubicSpline(along, knots)(np.linspace(0, along[-1], 20 * len(knots))).astype(np.float32)


def _dash(rng: np.random.Generator, centre: npt.NDArray[np.float64], size: float, tilt_rad: float) -> Stroke:
    angle = rng.uniform(-tilt_rad, tilt_rad)
    half = size / 2 * np.array([np.cos(angle), np.sin(angle)])
    return np.stack([centre - half, centre + half]).astype(np.float32)


def _apart(rng: np.random.Generator, n_places: int) -> list[npt.NDArray[np.float64]]:
    # Marks that touch would form other shapes.
    places: list[npt.NDArray[np.float64]] = []
    while len(places) < n_places:
        place = rng.uniform(0, 2, 2)
        if all(np.hypot(*(place - other)) > 0.45 for other in places):
            places.append(place)
    return places


def _morse(rng: np.random.Generator) -> Strokes:
    strokes, x = [], 0.0
    for is_dash in rng.random(int(rng.integers(3, 8))) < 0.5:
        end = x + (0.8 if is_dash else 0.0)
        strokes.append(np.array([(x, 0), (end, 0)] if is_dash else [(x, 0)], np.float32))
        x = end + rng.uniform(0.5, 0.8)
    return strokes


def _to_and_fro(rng: np.random.Generator) -> Strokes:
    n_turns = int(rng.integers(7, 18))  # with three turns it could be a 2
    across = np.linspace(0, rng.uniform(0.7, 1.3), n_turns) + rng.normal(0, 0.02, n_turns)
    along = np.where(np.arange(n_turns) % 2, 1, -1) * rng.uniform(0.4, 0.8, n_turns)
    return transform([np.stack([across, along], axis=1).astype(np.float32)], rotation(rng.uniform(0, np.pi)))


def _coil(rng: np.random.Generator) -> Strokes:
    n_loops, pitch = int(rng.integers(4, 8)), rng.uniform(0.3, 0.7)
    t = np.linspace(0, 2 * np.pi * n_loops, 30 * n_loops)
    swell = 1 + 0.3 * np.sin(t / rng.uniform(2, 6))
    points = np.stack([pitch * t / 2 + swell * np.cos(t), swell * np.sin(t)], axis=1).astype(np.float32)
    return transform([points], rotation(rng.uniform(-0.6, 0.6)))  # an upright one in thick ink would be a 1


def _rosette(rng: np.random.Generator) -> Strokes:
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.8, 1), 250)
    x_rate, y_rate = rng.choice([3, 4, 5, 6, 7], 2, replace=False)
    points = np.stack([np.sin(x_rate * t + rng.uniform(0, 6)), np.sin(y_rate * t)], axis=1)
    points += 0.25 * np.stack([np.cos(2 * t), np.sin(t)], axis=1)
    return transform([points.astype(np.float32)], rotation(rng.uniform(0, np.pi)))
