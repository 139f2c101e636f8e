"""Generate pen strokes of digits, in shapes that MNIST rarely has.

Control points become smooth curves with rounded corners, overshoot and tremor. The drawing is slanted, bent and
stretched. It is sampled at equal times, as a device does, so the points are denser where the pen is slow.
"""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from pipeline.ink.digit_shapes import SHAPES, Hand, Points
from pipeline.ink.hand import arc_length, interpolate
from pipeline.ink.warp import StrokeWarp, warp
from serving.drawing.strokes import Strokes

# Warps of the whole drawing, without resampling.
WHOLE = StrokeWarp(
    rotation=0.1, slant=0.2, scale=0.0, aspect=0.3, bend=0.022, jitter=0.0015, smoothing=0.0, resampling=0.0
)
SPACING = 0.01  # distance between points of the dense curve, relative to the digit's height


def draw_digit(digit: int, rng: np.random.Generator, variant: str | None = None) -> Strokes:
    """Draw a digit.

    Args:
        digit: the class.
        rng: the same state gives the same drawing.
        variant: a key of `SHAPES[digit]`; None: a random variant, by their probabilities.

    Returns:
        Strokes of about height 1, y down.
    """
    shape, variants = SHAPES[digit]
    if variant is None:
        variant = str(rng.choice(list(variants), p=list(variants.values())))
    skeleton = shape(Hand(rng), variant)
    rounding = rng.uniform(0.005, 0.05)  # heights
    haste = rng.uniform(0.02, 0.07)  # heights between two samples
    tremor = 0.006 * rng.random() ** 2
    strokes = [_write(pieces, rng, rounding, tremor) for pieces in skeleton]
    strokes = [_overshoot(stroke, rng) for stroke in strokes]
    lean = np.array([[1.0, 0.0], [-max(rng.normal(0.1, 0.14), -0.15), 1.0]])  # most people's digits lean to the right
    return warp([_sample(stroke @ lean, haste) for stroke in strokes], rng, WHOLE)


def _write(pieces: list[Points], rng: np.random.Generator, rounding: float, tremor: float) -> np.ndarray:
    """Return the dense curve of a stroke: float64 [n_points, 2], about `SPACING` apart."""
    curves: list[np.ndarray] = []
    for piece in pieces:
        points = np.array(piece) + rng.normal(0, 0.013, (len(piece), 2))
        curves.append(_curve(np.concatenate([curves[-1][-1:], points]) if curves else points, rng))
    curve = _respace(np.concatenate(curves))
    rounded = gaussian_filter1d(curve, rounding / SPACING, axis=0, mode="nearest")
    # Fade the smoothing out near the ends, because it pulls them inwards.
    reach = min(round(3 * rounding / SPACING) + 1, len(curve) // 2)
    fade = np.clip(np.arange(len(curve)) / reach, 0, 1)
    fade = np.minimum(fade, fade[::-1])[:, None]
    shaking = gaussian_filter1d(rng.standard_normal(curve.shape), 3.0, axis=0) * 3
    return curve + fade * (rounded - curve) + tremor * shaking


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


def _respace(curve: np.ndarray) -> np.ndarray:
    length = arc_length(curve)
    return interpolate(curve, length, max(3, round(length[-1] / SPACING)))


def _overshoot(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes extend the end of a stroke, as if the pen was lifted late."""
    if rng.random() > 0.25:
        return curve
    direction = curve[-1] - curve[max(len(curve) - 6, 0)]
    direction /= max(float(np.hypot(*direction)), 1e-6)
    sideways = np.array([-direction[1], direction[0]]) * rng.normal(0, 0.5)
    steps = np.arange(1, 1 + max(1, round(rng.uniform(0.01, 0.07) / SPACING)))[:, None] * SPACING
    return np.concatenate([curve, curve[-1] + steps * direction + steps**2 * 10 * sideways])


def _sample(curve: np.ndarray, spacing: float) -> np.ndarray:
    """Sample a curve at equal times, with a pen that slows down in curves; points are at most `spacing` apart."""
    length = arc_length(curve)
    heading = np.unwrap(np.arctan2(*np.gradient(curve, axis=0).T[::-1]))
    turning = gaussian_filter1d(np.abs(np.gradient(heading)), 2.0)  # radians per step
    slowness = 1 + 6 * np.minimum(turning, 0.5)
    clock = np.concatenate([[0.0], np.cumsum(np.diff(length) * slowness[1:])])
    return interpolate(curve, clock, max(2, round(clock[-1] / spacing) + 1)).astype(np.float32)
