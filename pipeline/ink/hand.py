"""Make exact strokes look handwritten."""

import numpy as np
import numpy.typing as npt

from serving.drawing.strokes import Stroke, Strokes, bounds

STEP = 0.02  # distance between points after resampling, relative to the drawing's longest side
# Standard deviations. The mean slant is to the right, as in most handwriting.
ROTATION_RAD = 0.08
SLANT = 0.15
SLANT_MEAN = 0.08
ASPECT = 0.12  # logarithm of the aspect ratio
BEND = 0.025  # amplitude of one wave of the elastic field, relative to the longest side
TREMOR = 0.004  # relative to the longest side
N_WAVES = 4


def transform(strokes: Strokes, matrix: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> Strokes:
    """Map every point to ``matrix @ point + shift``; ``matrix`` is ``[2, 2]`` or a scalar."""
    square = np.asarray(matrix) * np.eye(2) if np.ndim(matrix) == 0 else np.asarray(matrix)
    return [(stroke @ square.T + np.asarray(shift)).astype(np.float32) for stroke in strokes]


def rotation(angle: float) -> npt.NDArray[np.float64]:
    """Return the matrix that turns by an angle in radians, from x towards y."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def fit(strokes: Strokes) -> Strokes:
    """Centre a drawing on the origin and scale its longest side to 1. A single dot moves to the origin."""
    low, high = bounds(strokes)
    longest = float((high - low).max())
    scale = 1 / longest if longest > 0 else 1.0
    return transform(strokes, scale, -scale * (low + high) / 2)


def length(strokes: Strokes) -> float:
    """Return the length of the pen's path, in the unit of the drawing."""
    return float(sum(np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes))


def resample(stroke: Stroke, step: float) -> Stroke:
    """Return the line with equally spaced points, at most ``step`` apart; a dot stays a dot."""
    along = arc_length(stroke)
    if along[-1] == 0:
        return stroke[:1]
    return interpolate(stroke, along, max(2, int(np.ceil(along[-1] / step)) + 1)).astype(np.float32)


def arc_length(line: np.ndarray) -> np.ndarray:
    """Return the length of the path up to each point."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def interpolate(line: np.ndarray, clock: np.ndarray, n_points: int) -> np.ndarray:
    """Return `n_points` points of a line at equally spaced values of `clock`, which increases along the line."""
    ticks = np.linspace(0, clock[-1], n_points)
    return np.stack([np.interp(ticks, clock, line[:, axis]) for axis in (0, 1)], axis=1)


def handwrite(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Rotate, slant, stretch and bend a drawing, round its corners and add a tremor.

    The bending is a smooth field over the plane, so that parallel lines of a glyph stay together.

    Args:
        strokes: strokes in any unit.
        rng: the same state gives the same drawing.

    Returns:
        Centred on the origin, the longest side about 1, points `STEP` apart.
    """
    fitted = [resample(stroke, STEP) for stroke in fit(strokes)]
    waves = rng.normal(0, BEND, (N_WAVES, 2))  # displacement of each wave
    vectors = rng.normal(0, 2 * np.pi * 0.8, (N_WAVES, 2))  # about one period in a drawing
    phases = rng.uniform(0, 2 * np.pi, N_WAVES)
    matrix = _affine(rng)
    passes = int(rng.integers(1, 7))
    written = []
    for stroke in fitted:
        bent = (stroke + np.sin(stroke @ vectors.T + phases) @ waves) @ matrix.T
        written.append(_tremble(_round(bent, passes), rng).astype(np.float32))
    return written


def _affine(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    angle, slant = rng.normal(0, ROTATION_RAD), rng.normal(SLANT_MEAN, SLANT)
    stretch = np.exp(rng.normal(0, ASPECT) / 2)
    # y is down, so a slant to the right has a negative sign.
    return rotation(angle) @ np.array([[stretch, -slant], [0, 1 / stretch]])


def _round(points: npt.NDArray[np.float64], passes: int) -> npt.NDArray[np.float64]:
    for _ in range(passes):
        if len(points) > 2:
            points = np.concatenate([points[:1], points[:-2] / 4 + points[1:-1] / 2 + points[2:] / 4, points[-1:]])
    return points


def _tremble(points: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    # Knots are a few points apart, because a tremor is slower than the sampling.
    knots = rng.normal(0, TREMOR, (len(points) // 4 + 2, 2))
    places = np.arange(len(points)) / 4
    return points + np.stack([np.interp(places, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)
