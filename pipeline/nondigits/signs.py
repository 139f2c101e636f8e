"""Invented signs: random combinations of simple strokes, so that the network cannot memorise a list of signs."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pipeline.ink.geometry import rotation, transform
from serving.drawing.strokes import Stroke, Strokes, bounds

Draw = Callable[[np.random.Generator], Stroke]

N_POINTS = 24  # number of points of a curved stroke
MIN_ASPECT = 0.5  # width / height


def draw_sign(rng: np.random.Generator) -> Strokes:
    """Draw four to six connected strokes, or two or three with their mirror image and sometimes a post.

    Few signs look like a digit, because digits have fewer parts. The symmetric digits 0 and 8 are closed curves, and 1
    is narrow; a narrow sign is drawn again.
    """
    while True:
        strokes = _joined(rng, int(rng.integers(4, 7)), _STROKES) if rng.random() < 0.5 else _mirrored(rng)
        width, height = np.ptp(bounds(strokes), axis=0)
        if width > MIN_ASPECT * height:
            return strokes


def _mirrored(rng: np.random.Generator) -> Strokes:
    half = _joined(rng, int(rng.integers(2, 4)), _OPEN_STROKES)
    # The axis is at the start of the half or beside it, so that the halves touch, cross or stand apart.
    axis = rng.choice([0.0, rng.uniform(-0.6, 0.6)])
    image = transform(half, np.diag([-1.0, 1.0]), (2 * axis, 0.0))
    post = [np.array([(axis, rng.uniform(-1.5, -0.5)), (axis, rng.uniform(0.5, 1.5))], np.float32)]
    return half + image + (post if rng.random() < 0.5 else [])


def _joined(rng: np.random.Generator, n_strokes: int, kinds: tuple[Draw, ...]) -> Strokes:
    """Draw strokes that each start at, end at or cross an earlier one."""
    strokes: Strokes = []
    anchor = np.zeros(2)
    for _ in range(n_strokes):
        stroke = kinds[int(rng.integers(len(kinds)))](rng)
        # Most strokes of real signs are horizontal, vertical or at 45 degrees.
        angle = rng.integers(8) * np.pi / 4 + rng.normal(0, 0.12)
        (turned,) = transform([stroke], rng.uniform(0.5, 1.2) * rotation(angle))
        grip = turned[0] if rng.random() < 0.6 else turned[len(turned) // 2]
        strokes.append((turned - grip + anchor).astype(np.float32))
        chosen = strokes[int(rng.integers(len(strokes)))]
        anchor = chosen[int(rng.integers(len(chosen)))]
    return strokes


def _line(_rng: np.random.Generator) -> Stroke:
    return np.array([(0, 0), (0.5, 0), (1, 0)], np.float32)


def _corner(rng: np.random.Generator) -> Stroke:
    return np.array([(0, 0), (0.6, 0), (0.6, rng.choice([-1, 1]) * rng.uniform(0.3, 0.8))], np.float32)


def _hook(rng: np.random.Generator) -> Stroke:
    return _arc(rng, float(rng.choice([0.5, 0.75])))


def _arc(rng: np.random.Generator, turns: float) -> Stroke:
    angles = 2 * np.pi * turns * np.linspace(0, 1, N_POINTS)
    radius = 0.5 / max(turns, 0.5) * rng.uniform(0.6, 1)
    return np.stack([radius * np.sin(angles), radius * (1 - np.cos(angles))], axis=1).astype(np.float32)


def _wave(rng: np.random.Generator) -> Stroke:
    along = np.linspace(0, 1, N_POINTS)
    height = rng.uniform(0.1, 0.3) * np.sin(2 * np.pi * rng.uniform(0.8, 1.6) * along)
    return np.stack([along, height], axis=1).astype(np.float32)


# Without the hook, because a hook and its mirror image may form a ring, which is a 0.
_OPEN_STROKES: tuple[Draw, ...] = (_line, _line, _corner, partial(_arc, turns=0.25), _wave)
_STROKES: tuple[Draw, ...] = (*_OPEN_STROKES, _hook)
