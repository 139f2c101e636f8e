"""Warp pen strokes, and draw them with random pens on random canvases."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter1d

from serving.drawing.rasterize import draw
from serving.drawing.strokes import Strokes, bounds

# Ranges of the random canvas and pen; each value is uniform between the two ends.
CANVAS_PX = (64, 160)  # height and width
HEIGHT_FRACTION = (0.3, 0.8)  # longest side of the drawing, relative to the shorter side of the canvas
LINE_FRACTION = (0.04, 0.2)  # line width, relative to the longest side of the drawing
BLURRED = 0.3  # probability
BLUR_FRACTION = 0.5  # largest standard deviation of the blur, relative to the line width
UNEVEN = 0.2  # probability
UNEVENNESS = 0.4  # largest share of the grey that is lost at the faintest place


@dataclass(frozen=True)
class StrokeWarp:
    """Ranges of the random warps. Values are uniform between minus and plus the range, unless noted; 0 disables a warp.

    Attributes:
        rotation: radians.
        slant: shift of the top, relative to the height.
        scale: relative, separate for each axis.
        aspect: natural logarithm of the factor on width / height; the area is kept.
        bend: standard deviation of smooth displacements along the stroke, relative to the longest side.
        jitter: standard deviation of independent displacements of the points, relative to the longest side.
        smoothing: largest standard deviation of a Gaussian along the stroke, in points; at least 0.
        resampling: largest share of inner points to drop, like a slower device; at least 0.
    """

    rotation: float = 0.15
    slant: float = 0.2
    scale: float = 0.1
    aspect: float = 0.15
    bend: float = 0.02
    jitter: float = 0.004
    smoothing: float = 1.0
    resampling: float = 0.4


WARP = StrokeWarp()


def warp(strokes: Strokes, rng: np.random.Generator, ranges: StrokeWarp = WARP) -> Strokes:
    """Imitate another writer or another device. The position and the unit are kept.

    The same state of `rng` and the same ranges give the same drawing; ranges of 0 give the drawing unchanged.
    """
    low, high = np.asarray(bounds(strokes), np.float64)
    centre, longest = (low + high) / 2, float((high - low).max())
    matrix = _affine(rng, ranges)
    smoothing, left_out = rng.uniform(0, (ranges.smoothing, ranges.resampling))
    warped = []
    for stroke in strokes:
        points = _smooth(_thin(stroke, rng, left_out), smoothing)
        noise = ranges.bend * _slow_noise(len(points), rng) + ranges.jitter * rng.standard_normal((len(points), 2))
        moved = (points - centre) @ matrix.T + centre + noise * longest
        warped.append(moved.astype(np.float32))
    return warped


def _affine(rng: np.random.Generator, ranges: StrokeWarp) -> np.ndarray:
    """Return the matrix of a scale, then a slant, then a rotation: float64 [2, 2]."""
    limits = np.array([ranges.rotation, ranges.slant, ranges.scale, ranges.scale, ranges.aspect])
    angle, slant, scale_x, scale_y, aspect = rng.uniform(-limits, limits)
    cos, sin = math.cos(angle), math.sin(angle)
    scale = np.diag([(1 + scale_x) * math.exp(aspect / 2), (1 + scale_y) * math.exp(-aspect / 2)])
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, -slant], [0.0, 1.0]]) @ scale


def _thin(points: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    keep = rng.random(len(points)) >= share
    keep[[0, -1]] = True
    return points[keep]


def _smooth(points: np.ndarray, deviation: float) -> np.ndarray:
    if deviation == 0 or len(points) < 3:
        return points
    smoothed = gaussian_filter1d(points, deviation, axis=0, mode="nearest")
    smoothed[[0, -1]] = points[[0, -1]]  # moved ends would open gaps
    return smoothed


def _slow_noise(n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return displacements float64 [n_points, 2] of standard deviation 1, correlated over a third of the stroke."""
    knots = rng.standard_normal((4, 2))
    along = np.linspace(0, 3, n_points)
    left = np.minimum(along.astype(int), 2)
    part = along - left
    ease = (part * part * (3 - 2 * part))[:, None]
    return knots[left] * (1 - ease) + knots[left + 1] * ease


def render(
    strokes: Strokes,
    rng: np.random.Generator,
    shape: tuple[int, int],
    line_fraction_range: tuple[float, float] = LINE_FRACTION,
) -> np.ndarray:
    """Draw with a random pen: uint8 [height, width], light on dark.

    Args:
        strokes: strokes in any unit.
        rng: the same state gives the same picture.
        shape: height and width of the canvas.
        line_fraction_range: range of the line width, relative to the longest side of the drawing.
    """
    height_fraction, line_fraction = rng.uniform(*HEIGHT_FRACTION), rng.uniform(*line_fraction_range)
    x, y = rng.random(2)
    is_blurred, is_uneven = rng.random(2) < (BLURRED, UNEVEN)
    blur, faintest = rng.uniform(0, BLUR_FRACTION), 1 - rng.uniform(0, UNEVENNESS)
    grid = rng.random((3, 3))
    ink = draw(strokes, shape, height_fraction, line_fraction, (x, y))
    if is_blurred:
        radius = blur * line_fraction * height_fraction * min(shape)
        ink = np.asarray(Image.fromarray(ink).filter(ImageFilter.GaussianBlur(radius)))
    return _fade(ink, faintest + (1 - faintest) * grid) if is_uneven else ink


def _fade(ink: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Multiply the ink by a coarse grid of levels (0 to 1), interpolated over the canvas."""
    spread = Image.fromarray(levels.astype(np.float32)).resize(ink.shape[::-1], Image.Resampling.BILINEAR)
    return (ink * np.asarray(spread) + 0.5).astype(np.uint8)
