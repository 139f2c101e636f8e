"""Generate pen strokes of digits and letters from skeletons.

A skeleton has a few control points. They become smooth curves, sometimes with an overshoot, that lean to the right.
Then the drawing is warped as drawings of real pens are.
"""

import numpy as np
from scipy.interpolate import CubicSpline

from pipeline.config.schema import InkConfig
from pipeline.ink.digit_shapes import SHAPES, Hand, Points, Skeleton
from pipeline.ink.warp import INK, warp
from serving.drawing.strokes import Strokes

SPACING = 0.02  # distance between points of a curve, relative to the height
INACCURACY = 0.015  # standard deviation of the control points, relative to the height


def draw_digit(digit: int, rng: np.random.Generator, variant: str | None = None, ink: InkConfig = INK) -> Strokes:
    """Draw a digit.

    Args:
        digit: the class.
        rng: the same state gives the same drawing.
        variant: a key of `SHAPES[digit]`; None: a random variant, by their probabilities.
        ink: ranges of the warp.

    Returns:
        Strokes of about height 1, y down.
    """
    shape, variants = SHAPES[digit]
    if variant is None:
        variant = str(rng.choice(list(variants), p=list(variants.values())))
    return warp(trace(shape(Hand(rng), variant), rng), rng, ink)


def trace(skeleton: Skeleton, rng: np.random.Generator) -> Strokes:
    """Return the curves of a skeleton, as an inexact and leaning hand draws them, not warped."""
    lean = np.array([[1.0, 0.0], [-max(rng.normal(0.1, 0.14), -0.15), 1.0]])  # most people's writing leans to the right
    return [(_overshoot(_join(pieces, rng), rng) @ lean).astype(np.float32) for pieces in skeleton]


def _join(pieces: list[Points], rng: np.random.Generator) -> np.ndarray:
    """Return the curve of a stroke: float64 [n_points, 2], about `SPACING` apart."""
    curves: list[np.ndarray] = []
    for piece in pieces:
        points = np.array(piece) + rng.normal(0, INACCURACY, (len(piece), 2))
        curves.append(_curve(np.concatenate([curves[-1][-1:], points]) if curves else points, rng))
    return np.concatenate(curves)


def _curve(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth curve through control points; a straight line is slightly bowed."""
    if len(points) == 2:
        along = points[1] - points[0]
        middle = points.mean(axis=0) + rng.normal(0, 0.025) * np.array([-along[1], along[0]])
        points = np.stack([points[0], middle, points[1]])
    gaps = np.hypot(*np.diff(points, axis=0).T)
    # Centripetal: the square root of the distances prevents overshoot between close points.
    times = np.concatenate([[0.0], np.cumsum(np.sqrt(np.maximum(gaps, 1e-4)))])
    n_points = max(4, round(gaps.sum() / SPACING))
    return CubicSpline(times, points, bc_type="natural")(np.linspace(0, times[-1], n_points))


def _overshoot(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes extend the end of a stroke, as if the pen was lifted late."""
    if rng.random() > 0.25:
        return curve
    direction = curve[-1] - curve[max(len(curve) - 4, 0)]
    direction /= max(float(np.hypot(*direction)), 1e-6)
    sideways = np.array([-direction[1], direction[0]]) * rng.normal(0, 0.5)
    steps = np.arange(1, 1 + max(1, round(rng.uniform(0.01, 0.07) / SPACING)))[:, None] * SPACING
    return np.concatenate([curve, curve[-1] + steps * direction + steps**2 * 10 * sideways])
