"""What a hand does to a drawing: strokes, and the warp that makes ruler-straight ones look written."""

import numpy as np
import numpy.typing as npt

from serving.drawing.strokes import Stroke, Strokes, bounds

STEP = 0.02  # distance of points after resampling, of the drawing's longest side
# Standard deviations; the slant's mean leans to the right, as most hands do.
ROTATION_RAD = 0.08
SLANT = 0.15
SLANT_MEAN = 0.08
ASPECT = 0.12  # of the logarithm
BEND = 0.025  # amplitude of one wave of the elastic field, of the longest side
TREMOR = 0.004  # of the longest side
N_WAVES = 4


def transform(strokes: Strokes, matrix: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> Strokes:
    """Every point through ``matrix @ point + shift``; ``matrix`` is ``[2, 2]`` or a scalar."""
    square = np.asarray(matrix) * np.eye(2) if np.ndim(matrix) == 0 else np.asarray(matrix)
    return [(stroke @ square.T + np.asarray(shift)).astype(np.float32) for stroke in strokes]


def fit(strokes: Strokes) -> Strokes:
    """The drawing about the origin, its longest side 1; a lone dot goes to the origin."""
    low, high = bounds(strokes)
    longest = float((high - low).max())
    scale = 1 / longest if longest > 0 else 1.0
    return transform(strokes, scale, -scale * (low + high) / 2)


def length(strokes: Strokes) -> float:
    """The way of the pen, in the drawing's unit."""
    return float(sum(np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes))


def resample(stroke: Stroke, step: float) -> Stroke:
    """The same line in points at most ``step`` apart, equally spaced; a dot stays a dot."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0:
        return stroke[:1]
    places = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(places, along, stroke[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def write(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """The drawing as a hand would have made it: turned, slanted, stretched, bent, its corners rounded, trembling.

    Bending is a smooth field over the plane and not a noise of each stroke, because many glyphs consist of lines side
    by side that must stay together.

    Args:
        strokes: in any unit.
        rng: decides everything.

    Returns:
        About the origin, the longest side about 1, points `STEP` apart.
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
    cos, sin = np.cos(angle), np.sin(angle)
    # y is down: a lean to the right moves what is above to the right.
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch, -slant], [0, 1 / stretch]])


def _round(points: npt.NDArray[np.float64], passes: int) -> npt.NDArray[np.float64]:
    for _ in range(passes):
        if len(points) > 2:
            points = np.concatenate(
                [points[:1], points[:-2] / 4 + points[1:-1] / 2 + points[2:] / 4, points[-1:]]
            )  # the ends stay
    return points


def _tremble(points: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    # Knots a few points apart: a tremor is slower than the sampling.
    knots = rng.normal(0, TREMOR, (len(points) // 4 + 2, 2))
    places = np.arange(len(points)) / 4
    return points + np.stack([np.interp(places, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)
