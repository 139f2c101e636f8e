"""Drawings of objects: simple shapes for training, and objects of other kinds for the test."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.ink.geometry import rotation, transform
from serving.drawing.strokes import Stroke, Strokes

Shape = Callable[[np.random.Generator], Strokes]


def draw_shape(shapes: Sequence[Shape], rng: np.random.Generator) -> Strokes:
    """Draw one of the shapes, all equally likely."""
    return shapes[int(rng.integers(len(shapes)))](rng)


def _line(*points: tuple[float, float]) -> Strokes:
    return [np.array(points, np.float32)]


def _closed(points: npt.ArrayLike) -> Strokes:
    corners = np.asarray(points, np.float32)
    return [np.concatenate([corners, corners[:1]])]


def _arc(x: float, y: float, radius: float, start: float = 0.0, turns: float = 1.0) -> Strokes:
    angles = 2 * np.pi * (start + np.linspace(0, turns, 40))
    return [np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1).astype(np.float32)]


def _regular(n_corners: int, skip: int = 1) -> npt.NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(n_corners) * skip / n_corners - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _turned(strokes: Strokes, quarters: int) -> Strokes:
    return transform(strokes, rotation(quarters * np.pi / 2).round())


def _triangle(rng: np.random.Generator) -> Strokes:
    return _turned(_closed([(rng.uniform(-0.5, 0.5), -1), (0.8, 0.6), (-0.8, 0.6)]), int(rng.integers(4)))


def _rectangle(rng: np.random.Generator) -> Strokes:
    width = rng.uniform(0.8, 1.8)  # a narrow one is an angular 0
    return _closed([(0, 0), (width, 0), (width, 1), (0, 1)])


def _star(rng: np.random.Generator) -> Strokes:
    if rng.random() < 0.5:
        return _closed(_regular(5, skip=2))  # in one go
    outline = _regular(10)
    outline[1::2] *= rng.uniform(0.35, 0.5)
    return _closed(outline)


def _heart(rng: np.random.Generator) -> Strokes:
    t = np.linspace(0, 2 * np.pi, 50)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return [np.stack([x, y * rng.uniform(0.85, 1.15)], axis=1).astype(np.float32)]


def _arrow(rng: np.random.Generator) -> Strokes:
    barb = rng.uniform(0.25, 0.45)
    strokes = _line((-1, 0), (1, 0)) + _line((1 - barb, -barb), (1, 0), (1 - barb, barb))
    if rng.random() < 0.3:
        strokes += _line((barb - 1, -barb), (-1, 0), (barb - 1, barb))
    return _turned(strokes, int(rng.integers(4)))


def _house(rng: np.random.Generator) -> Strokes:
    strokes = _closed([(-1, 0), (1, 0), (1, 1.4), (-1, 1.4)]) + _line((-1, 0), (0, -rng.uniform(0.5, 1)), (1, 0))
    door = _line((-0.3, 1.4), (-0.3, 0.6), (0.3, 0.6), (0.3, 1.4))
    return strokes + door if rng.random() < 0.6 else strokes


def _spiral(rng: np.random.Generator) -> Strokes:
    turns = rng.uniform(2.2, 4)  # fewer make a 6 or a 9
    t = np.linspace(0.05, 1, 120)
    angles = rng.choice([-1, 1]) * 2 * np.pi * turns * t + rng.uniform(0, 2 * np.pi)
    return [np.stack([t * np.cos(angles), t * np.sin(angles)], axis=1).astype(np.float32)]


def _face(rng: np.random.Generator) -> Strokes:
    mood = rng.choice([0.05, 0.55])
    mouth = _arc(0, 0.15 if mood < 0.5 else 0.8, 0.45, start=mood, turns=0.4)
    return _arc(0, 0, 1) + _line((-0.35, -0.3)) + _line((0.35, -0.3)) + mouth


def _sun(rng: np.random.Generator) -> Strokes:
    n_rays = int(rng.integers(6, 11))
    directions = _regular(n_rays)
    return _arc(0, 0, 0.5) + [np.stack([0.65 * ray, ray]).astype(np.float32) for ray in directions]


def _flower(rng: np.random.Generator) -> Strokes:
    petals = _regular(int(rng.integers(4, 7)))
    blossom = [stroke for x, y in petals for stroke in _arc(0.5 * x, 0.5 * y, 0.28)]
    return blossom + _line((0, 0.8), (0.05, 2))


def _steps(rng: np.random.Generator) -> Strokes:
    n_steps = int(rng.integers(3, 6))
    corners = [(i // 2, (i + 1) // 2) for i in range(2 * n_steps)]
    return _turned(_line(*corners), int(rng.integers(4)))


def draw_rules(rng: np.random.Generator) -> Strokes:
    """Draw horizontal rules, a frame, some of its sides, or a box with a line in it, as forms and notebooks have."""
    kind, width = rng.integers(4), rng.uniform(0.9, 2.5)
    if kind == 0:
        distance = rng.uniform(0.15, 0.6)
        return [_rule(rng, (0, i * distance), (width, i * distance)) for i in range(int(rng.integers(1, 4)))]
    left, right = _rule(rng, (0, 0), (0, 1)), _rule(rng, (width, 0), (width, 1))
    top, bottom = _rule(rng, (0, 0), (width, 0)), _rule(rng, (0, 1), (width, 1))
    if kind == 1:
        # Top and right without another side would be a 7.
        corners = ([left, bottom], [left, top], [right, bottom], [left, bottom, right], [left, top, right])
        return list(corners[int(rng.integers(5))])
    frame = [left, right, top, bottom]
    at = rng.uniform(0.3, 0.7)
    return frame if kind == 2 else [*frame, _rule(rng, (0, at), (width, at))]


def _rule(rng: np.random.Generator, start: tuple[float, float], end: tuple[float, float]) -> Stroke:
    # Rules of a frame miss each other or overshoot.
    ends = np.array([start, end]) + rng.normal(0, 0.02, (2, 2))
    beyond = rng.normal(0, 0.04, (2, 1)) * (ends[1] - ends[0])
    return np.array([ends[0] - beyond[0], ends[1] + beyond[1]], np.float32)


SHAPES: Sequence[Shape] = (_triangle, _rectangle, _star, _heart, _arrow, _house, _spiral, _face, _sun, _flower, _steps)


def _person(rng: np.random.Generator) -> Strokes:
    lift = rng.uniform(-0.4, 0.5)
    arms = _line((-0.7, 0.7 - lift), (0, 0.55), (0.7, 0.7 - lift))
    return _arc(0, 0, 0.35) + _line((0, 0.35), (0, 1.3)) + arms + _line((-0.5, 2.1), (0, 1.3), (0.5, 2.1))


def _fish(rng: np.random.Generator) -> Strokes:
    along = np.linspace(0, 1, 25)
    belly = rng.uniform(0.35, 0.55) * np.sin(np.pi * along**0.8)
    tip = rng.uniform(0.3, 0.5)
    back = np.stack([2 * along, -belly], axis=1)
    under = np.stack([2 * along, belly], axis=1)[::-1]
    tail = np.array([(2.6, -tip), (2.6, tip), (2.0, 0.0)])
    return [np.concatenate([under, back, tail]).astype(np.float32), *_line((0.45, -0.1))]


def _boat(rng: np.random.Generator) -> Strokes:
    mast = rng.uniform(1.2, 1.8)
    hull = _closed([(-1.2, 0), (1.2, 0), (0.7, 0.6), (-0.7, 0.6)])
    return hull + _line((0, 0), (0, -mast), (0.9, -0.3), (0, -0.3))


def _envelope(rng: np.random.Generator) -> Strokes:
    fold = rng.uniform(0.4, 0.7)
    return _closed([(-1, -0.6), (1, -0.6), (1, 0.6), (-1, 0.6)]) + _line((-1, -0.6), (0, fold - 0.6), (1, -0.6))


def _cube(rng: np.random.Generator) -> Strokes:
    depth = rng.uniform(0.3, 0.5)
    front, back = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]), np.array([depth, -depth])
    edges = [np.stack([corner, corner + back]).astype(np.float32) for corner in front]
    return _closed(front) + _closed(front + back) + edges


def _umbrella(rng: np.random.Generator) -> Strokes:
    handle = rng.uniform(0.8, 1.3)
    hook = _arc(0.2, handle, 0.2, start=0.5, turns=-0.5)
    return _arc(0, 0, 1, start=0.5, turns=0.5) + _line((-1, 0), (1, 0)) + _line((0, 0), (0, handle)) + hook


def _cup(rng: np.random.Generator) -> Strokes:
    foot = rng.uniform(0.45, 0.7)
    return _closed([(-0.8, 0), (0.8, 0), (foot, 1.5), (-foot, 1.5)]) + _arc(0.72, 0.7, 0.4, start=-0.25, turns=0.5)


def _ladder(rng: np.random.Generator) -> Strokes:
    n_rungs = int(rng.integers(3, 6))
    rungs = [stroke for i in range(n_rungs) for stroke in _line((0, 0.5 * i + 0.3), (0.8, 0.5 * i + 0.3))]
    return _line((0, 0), (0, 0.5 * n_rungs + 0.2)) + _line((0.8, 0), (0.8, 0.5 * n_rungs + 0.2)) + rungs


DOODLES: Sequence[Shape] = (_person, _fish, _boat, _envelope, _cube, _umbrella, _cup, _ladder)
