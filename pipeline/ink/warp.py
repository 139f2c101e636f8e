"""Warp pen strokes, and draw them with random pens on random canvases."""

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter1d

from pipeline.config.schema import InkConfig
from pipeline.ink.geometry import resample, rotation
from serving.drawing.rasterize import draw
from serving.drawing.strokes import Strokes, bounds

# The ranges of all measurements. They stay the same when those of the training, in params.yaml, change.
INK = InkConfig(
    rotation=0.15, slant=0.22, aspect=0.2, bend=0.025, rounding=0.04, tremor=0.004, spacing=0.06,
    thinnest=0.04, thickest=0.2, blurred=0.3, blur=0.5, uneven=0.2, unevenness=0.4,
)  # fmt: skip
CANVAS_PX = (64, 160)  # height and width
SIZE_FRACTION = (0.3, 0.8)  # longest side of the drawing, relative to the shorter side of the canvas
N_WAVES = 4  # of the field that bends a drawing
WAVE_NUMBER = 3.5  # standard deviation, radians in a longest side: about half a period in a drawing
N_TREMOR = 4  # points between two knots of the tremor, which is slower than the sampling


def warp(strokes: Strokes, rng: np.random.Generator, ink: InkConfig = INK) -> Strokes:
    """Imitate another writer or another device. The position and the unit are kept.

    The drawing is bent by a smooth field over the plane, so that strokes that meet still meet.

    Args:
        strokes: strokes in any unit.
        rng: the same state and the same ranges give the same drawing.
        ink: the ranges; ranges of 0 give the drawing unchanged.
    """
    low, high = np.asarray(bounds(strokes), np.float64)
    centre, longest = (low + high) / 2, float((high - low).max()) or 1.0
    matrix = _affine(rng, ink)
    waves, vectors = rng.normal(0, ink.bend, (N_WAVES, 2)), rng.normal(0, WAVE_NUMBER, (N_WAVES, 2))
    phases = rng.uniform(0, 2 * np.pi, N_WAVES)
    rounding, spacing = rng.uniform((0, ink.spacing / 2), (ink.rounding, ink.spacing))
    warped = []
    for stroke in strokes:
        points = (stroke - centre) / longest
        points = resample(points, spacing) if spacing else points
        points = _round(points, rounding / (spacing or ink.rounding or 1.0))
        points = points + np.sin(points @ vectors.T + phases) @ waves + ink.tremor * _tremor(len(points), rng)
        warped.append((points @ matrix.T * longest + centre).astype(np.float32))
    return warped


def _affine(rng: np.random.Generator, ink: InkConfig) -> np.ndarray:
    """Return the matrix of a scale, then a slant, then a rotation: float64 [2, 2]."""
    limits = np.array([ink.rotation, ink.slant, ink.aspect])
    angle, slant, aspect = rng.uniform(-limits, limits)
    return rotation(angle) @ np.array([[1.0, -slant], [0.0, 1.0]]) @ np.diag(np.exp([aspect / 2, -aspect / 2]))


def _round(points: np.ndarray, deviation: float) -> np.ndarray:
    """Smooth a line with a Gaussian along it, in points. Its ends stay, because the line goes on mirrored there."""
    reach = min(int(3 * deviation) + 1, len(points) - 1)
    if deviation == 0 or len(points) < 3:
        return points
    longer = np.concatenate([2 * points[0] - points[reach:0:-1], points, 2 * points[-1] - points[-2 : -reach - 2 : -1]])
    return gaussian_filter1d(longer, deviation, axis=0, radius=reach)[reach:-reach]


def _tremor(n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return slow noise of standard deviation 1 at its knots: float64 [n_points, 2]."""
    knots = rng.standard_normal((n_points // N_TREMOR + 2, 2))
    places = np.arange(n_points) / N_TREMOR
    return np.stack([np.interp(places, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def render(
    strokes: Strokes,
    rng: np.random.Generator,
    shape: tuple[int, int],
    ink: InkConfig = INK,
    line_fraction_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw with a random pen: uint8 [height, width], light on dark.

    Args:
        strokes: strokes in any unit.
        rng: the same state gives the same picture.
        shape: height and width of the canvas.
        ink: ranges of the pen.
        line_fraction_range: another range of the line width, relative to the longest side of the drawing.
    """
    size_fraction = rng.uniform(*SIZE_FRACTION)
    line_fraction = rng.uniform(*(line_fraction_range or (ink.thinnest, ink.thickest)))
    x, y = rng.random(2)
    is_blurred, is_uneven = rng.random(2) < (ink.blurred, ink.uneven)
    blur, faintest = rng.uniform(0, ink.blur), 1 - rng.uniform(0, ink.unevenness)
    grid = rng.random((3, 3))
    drawn = draw(strokes, shape, size_fraction, line_fraction, (x, y))
    if is_blurred:
        radius = blur * line_fraction * size_fraction * min(shape)
        drawn = np.asarray(Image.fromarray(drawn).filter(ImageFilter.GaussianBlur(radius)))
    return _fade(drawn, faintest + (1 - faintest) * grid) if is_uneven else drawn


def _fade(ink: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Multiply the ink by a coarse grid of levels (0 to 1), interpolated over the canvas."""
    spread = Image.fromarray(levels.astype(np.float32)).resize(ink.shape[::-1], Image.Resampling.BILINEAR)
    return (ink * np.asarray(spread) + 0.5).astype(np.uint8)
