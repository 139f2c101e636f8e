"""Warp pen strokes as people vary, and draw them with random pens on random canvases."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter1d

from serving.drawing.rasterize import draw
from serving.drawing.strokes import Strokes, bounds


@dataclass(frozen=True)
class StrokeWarp:
    """Ranges of the random warps; each is drawn uniformly in plus or minus its range unless told, 0 turns it off.

    Attributes:
        rotation: radians.
        slant: how far the top leans over, relative to the height.
        scale: relative, each axis on its own.
        aspect: natural logarithm of the factor on width / height; the area stays.
        bend: standard deviation of smooth displacements along the stroke, relative to the longest side.
        jitter: the same for independent displacements of the points.
        smoothing: largest standard deviation of a Gaussian along the stroke, in points; from 0.
        resampling: largest share of inner points left out, as by a slower device; from 0.
    """

    rotation: float = 0.15
    slant: float = 0.2
    scale: float = 0.1
    aspect: float = 0.15
    bend: float = 0.02
    jitter: float = 0.004
    smoothing: float = 1.0
    resampling: float = 0.4


@dataclass(frozen=True)
class StrokeRender:
    """Ranges of the random canvas and pen; each is uniform between its two ends unless told.

    Attributes:
        canvas_px: height and width, each on its own.
        height_fraction: longest side of the drawing, relative to the canvas's shorter side.
        line_fraction: width of the line, relative to the longest side of the drawing.
        blurred: probability of a softened line.
        blur_fraction: standard deviation of the blur, relative to the width of the line; up to.
        uneven: probability of an uneven grey.
        unevenness: share of the grey that is lost at the faintest place; up to.
    """

    canvas_px: tuple[int, int] = (64, 160)
    height_fraction: tuple[float, float] = (0.3, 0.8)
    line_fraction: tuple[float, float] = (0.04, 0.2)
    blurred: float = 0.3
    blur_fraction: float = 0.5
    uneven: float = 0.2
    unevenness: float = 0.4


def warp(strokes: Strokes, rng: np.random.Generator, ranges: StrokeWarp) -> Strokes:
    """Vary a drawing as another writer, or another device, would have it; its place and unit stay.

    The same state of `rng` and ranges give the same drawing; ranges of 0 give the drawing unchanged.
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
    """Scale, then slant, then rotation: float64 [2, 2]."""
    limits = np.array([ranges.rotation, ranges.slant, ranges.scale, ranges.scale, ranges.aspect])
    angle, slant, scale_x, scale_y, aspect = rng.uniform(-limits, limits)
    cos, sin = math.cos(angle), math.sin(angle)
    scale = np.diag([(1 + scale_x) * math.exp(aspect / 2), (1 + scale_y) * math.exp(-aspect / 2)])
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, -slant], [0.0, 1.0]]) @ scale


def _thin(points: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Leave out about `share` of the points, never the two ends."""
    keep = rng.random(len(points)) >= share
    keep[[0, -1]] = True
    return points[keep]


def _smooth(points: np.ndarray, deviation: float) -> np.ndarray:
    """Round corners off; the ends stay where they are, or gaps would open."""
    if deviation == 0 or len(points) < 3:
        return points
    smoothed = gaussian_filter1d(points, deviation, axis=0, mode="nearest")
    smoothed[[0, -1]] = points[[0, -1]]
    return smoothed


def _slow_noise(n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Displacements float64 [n_points, 2] of standard deviation 1 that change over about a third of the stroke."""
    knots = rng.standard_normal((4, 2))
    along = np.linspace(0, 3, n_points)
    left = np.minimum(along.astype(int), 2)
    part = along - left
    ease = (part * part * (3 - 2 * part))[:, None]
    return knots[left] * (1 - ease) + knots[left + 1] * ease


def render(
    strokes: Strokes, rng: np.random.Generator, ranges: StrokeRender, shape: tuple[int, int] | None = None
) -> np.ndarray:
    """Draw on a random canvas with a random pen: uint8 [height, width], light on dark.

    Args:
        strokes: in any unit.
        rng: the same state gives the same picture.
        ranges: of the canvas and the pen.
        shape: height and width to take instead of random ones, so that a batch has one size.
    """
    if shape is None:
        height, width = rng.integers(*ranges.canvas_px, size=2, endpoint=True).tolist()
        shape = height, width
    height_fraction, line_fraction = rng.uniform(*ranges.height_fraction), rng.uniform(*ranges.line_fraction)
    x, y = rng.random(2)
    is_blurred, is_uneven = rng.random(2) < (ranges.blurred, ranges.uneven)
    blur, faintest = rng.uniform(0, ranges.blur_fraction), 1 - rng.uniform(0, ranges.unevenness)
    grid = rng.random((3, 3))
    ink = draw(strokes, shape, height_fraction, line_fraction, (x, y))
    if is_blurred:
        radius = blur * line_fraction * height_fraction * min(shape)
        ink = np.asarray(Image.fromarray(ink).filter(ImageFilter.GaussianBlur(radius)))
    return _fade(ink, faintest + (1 - faintest) * grid) if is_uneven else ink


def _fade(ink: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Multiply the ink by a coarse grid of levels (0..1), smoothly spread over the canvas."""
    spread = Image.fromarray(levels.astype(np.float32)).resize(ink.shape[::-1], Image.Resampling.BILINEAR)
    return (ink * np.asarray(spread) + 0.5).astype(np.uint8)
