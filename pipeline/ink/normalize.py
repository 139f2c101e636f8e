"""Normalise grey pixels of any size to the 28x28 input of the network.

The steps are those of MNIST itself (LeCun et al., 1998): fit the ink into 20x20, keep the aspect ratio, and centre it
by mass in 28x28. They use only TensorFlow operations. So `export` can put them into the model file, and no other
implementation is needed. A picture with an even edge takes a short way. Frames, lines, shadows and grain at the edge
need the long way, in a branch of the graph that other pictures do not run.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf

from pipeline.ink.clear import clear
from pipeline.ink.grid import FAR, axes_of, sum_cells, to_float

VERSION = "3"
GRID = 28  # side of the network's input, pixels
FIT = 20.0  # the longest side of the ink is scaled to this many pixels
CENTRE = 14  # the centre of mass goes to the middle of this pixel
# Symmetric ink often has its centre exactly between two grid pixels, and runtimes round such values differently. So the
# centre is moved by this share of a grid pixel.
TIE = 3e-5
PAPER_DEPTH = 16  # the paper is first read at 1/16 of the height and width, behind frames
INK_THRESHOLD = 0.1  # relative to the peak: the bounding box encloses the pixels above it
MIN_CONTRAST = 25  # smallest difference between paper and peak that is ink, minus one grey level
# Ink must exceed GRAIN_MARGIN times the grain of the paper: the 75th percentile of the deviations at the edges. For
# normal noise this is 1.15 standard deviations, or 0.67 if black or white clips half of it. At most MAX_GRAIN of the
# peak is subtracted, so that a texture, which has no plain paper, does not look blank.
GRAIN_MARGIN = 5.5
MAX_GRAIN = 0.33
# Exact halves (127.5) are common, and runtimes round them differently. With a threshold of 0.501, no quotient
# k * 255 / peak is closer to it than 0.0009.
ROUNDING = 0.499


Step = Literal["polarity", "box", "aspect", "fit", "mass"]


class Normalized(NamedTuple):
    """Normalised batch of images.

    Attributes:
        images: uint8 ``[batch, 28, 28]``, 255 = ink; all 0 where there is no ink.
        box: float32 ``[batch, 4]``: left, top, right, bottom of the ink in source pixels; all 0 where there is no ink.
        has_ink: bool ``[batch]``.
    """

    images: tf.Tensor
    box: tf.Tensor
    has_ink: tf.Tensor


class _Ink(NamedTuple):
    """Ink of a batch.

    Attributes:
        levels: whole numbers, float32 ``[batch, height, width]``, 0 = paper, at most 255.
        profile: the maxima of all columns, then of all rows, float32 ``[batch, 1, width + height]``.
    """

    levels: tf.Tensor
    profile: tf.Tensor


def normalize(images: tf.Tensor, without: Collection[Step] = ()) -> Normalized:
    """Find the ink, fit it into 20x20 pixels and centre its mass in 28x28.

    Args:
        images: uint8 ``[batch, height, width]``, any size of at least 1x1, dark on light or light on dark.
        without: steps to leave out, for `pipeline.evaluation.steps`. Without "polarity", light is ink and nothing is
            subtracted; without "box", the whole picture is fitted; without "aspect", each axis has its own scale;
            without "fit", there is no margin; without "mass", the box is centred.
    """
    (y, x), (height, width) = axes_of(images)
    ink = _profiled(tf.cast(images, tf.float32) if "polarity" in without else _find_ink(images))

    # Each value from here to `edges` is [batch, 2, 1] for x and y, or [batch, 1, 1] for both.
    peak = tf.reduce_max(ink.profile, axis=2, keepdims=True)
    has_ink = peak > MIN_CONTRAST
    inked = to_float(has_ink)
    # Distances of the pixels from both ends of their axis: from the first end of x and y, then from the last.
    from_x, from_y = x * _ON_X + _ENDS_X, y * _ON_Y + _ENDS_Y  # [4, size]
    is_ink = to_float(ink.profile > INK_THRESHOLD * peak)
    reach = tf.reduce_max(is_ink * tf.concat([from_x, from_y], axis=1), axis=2, keepdims=True)  # [batch, 4, 1]
    high, from_last = tf.split(reach, 2, axis=1)
    low = FAR - from_last
    if "box" in without:
        low, high = tf.zeros_like(low), tf.zeros_like(high) + tf.stack([width, height])[:, None]
    length = high - low
    span = length if "aspect" in without else tf.reduce_max(length, axis=1, keepdims=True)
    scale = span * (1.0 / (float(GRID) if "fit" in without else FIT))  # source pixels in a grid pixel

    # The ink starts in pixel CENTRE + offset, and ends inside the grid. Whole numbers keep the grey levels of a digit
    # that is already 20 pixels high.
    last = tf.floor(GRID - CENTRE + 1e-4 - length / scale)
    if "mass" in without:
        offset = tf.round((last - CENTRE) / 2.0)
    else:
        sums = tf.reshape(from_y @ tf.matmul(ink.levels, from_x, transpose_b=True), [-1, 16, 1])
        mass = tf.maximum(tf.gather(sums, _MASS, axis=1), 1e-6)
        # The sums of small pictures are exact, so runtimes agree. A pixel's place is its second edge.
        centre = tf.gather(sums, _MOMENTS, axis=1) / mass - 0.5
        offset = tf.math.ceil((low - centre) / scale - TIE)
    offset = tf.minimum(tf.maximum(offset, -float(CENTRE)), last)

    edges = scale * (np.arange(-CENTRE, GRID + 1 - CENTRE, dtype=np.float32) - offset) + low  # [batch, 2, 29]
    edges_x, edges_y = tf.split(tf.transpose(edges, [0, 2, 1]), 2, axis=2)
    fitted = sum_cells(ink.levels, (edges_y, edges_x), (y, x))
    darkest = tf.maximum(tf.reduce_max(fitted, axis=[1, 2], keepdims=True), 1e-6)
    pixels = tf.cast(fitted * (255.0 * inked / darkest) + ROUNDING, tf.uint8)
    box = tf.reshape(tf.concat([low, high], axis=1) * inked, [-1, 4])
    return Normalized(pixels, box, tf.reshape(has_ink, [-1]))


# For `from_x` and `from_y` in `normalize`, in the order of `reach`. A row of ones sums the ink itself, and is never the
# maximum of `reach`.
_ON_X, _ENDS_X = np.array([[[1], [0], [-1], [0]], [[1], [1], [FAR], [0]]], np.float32)
_ON_Y, _ENDS_Y = np.array([[[0], [1], [0], [-1]], [[1], [1], [0], [FAR]]], np.float32)
# Places in `sums`, which has four rows of `from_x` for each of `from_y`.
_MOMENTS = [0, 5]  # ones and x, y and ones
_MASS = [1]  # ones and ones


def _profiled(levels: tf.Tensor) -> _Ink:
    rows = tf.expand_dims(tf.reduce_max(levels, axis=2), 1)
    return _Ink(levels, tf.concat([tf.reduce_max(levels, axis=1, keepdims=True), rows], axis=2))


_ALL = 2**62  # larger than any batch


def _find_ink(images: tf.Tensor) -> tf.Tensor:
    """Separate the ink from the paper: uint8 to float32 ``[batch, height, width]``, 0 = paper, at most 255."""
    paper, difference = _read_paper(images)

    def even() -> tf.Tensor:
        return tf.cast(tf.maximum(images, paper) - tf.minimum(images, paper), tf.float32)

    def uneven() -> tf.Tensor:
        # The ink of a picture does not depend on the other pictures of the batch.
        is_uneven = to_float(tf.reduce_max(tf.cast(difference, tf.float32), axis=[1, 2], keepdims=True) > 0.0)
        return even() + is_uneven * (_clean(images) - even())

    return tf.cond(tf.cast(tf.reduce_max(difference), tf.bool), uneven, even)


def _read_paper(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the level of the paper behind a frame, and the difference of the picture's sides from it.

    Args:
        images: uint8 ``[batch, height, width]``.

    Returns:
        uint8 ``[batch, 1, 1]`` and ``[batch, height, 2]``. A difference is 0 only if the levels are equal.
    """
    start = tf.shape(images, tf.int64) // np.array([_ALL, PAPER_DEPTH, PAPER_DEPTH])
    paper = tf.strided_slice(images, start, start + np.array([_ALL, 1, 1]), [1, 1, 1])
    # Grain, shadows, frames and lines show at the sides, except a vertical line that touches no corner.
    return paper, tf.concat([images[:, :, :1], images[:, :, -1:]], axis=2) - paper


def _clean(images: tf.Tensor) -> tf.Tensor:
    """Return the ink of pictures with uneven edges, as `_find_ink` does."""
    grey = tf.cast(images, tf.float32)
    # Ink may touch the edges of the picture, but it covers less than half of them.
    edges = tf.concat([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    half = tf.shape(edges)[1] // 2
    paper = tf.math.top_k(edges, half + 1).values[:, -1:]
    grain = tf.math.top_k(tf.abs(edges - paper), half // 2 + 1).values[:, -1:]
    paper, grain = (tf.reshape(values, [-1, 1, 1]) for values in (paper, grain))
    darker = paper - tf.reduce_min(grey, axis=[1, 2], keepdims=True)
    lighter = tf.reduce_max(grey, axis=[1, 2], keepdims=True) - paper
    peak = tf.maximum(darker, lighter)  # ink may be darker or lighter than the paper
    per_peak = 255.0 * to_float(peak > MIN_CONTRAST) / tf.maximum(peak, 1.0)
    ink = (grey - paper) * (per_peak * tf.sign(lighter - darker + 0.5))
    ink -= tf.minimum(GRAIN_MARGIN * grain * per_peak, 255.0 * MAX_GRAIN)
    cleared, is_better = clear(grey)
    return tf.floor(tf.nn.relu(ink + is_better * (cleared - ink)) + ROUNDING)


def normalize_all(images: np.ndarray, batch_size: int = 2000) -> np.ndarray:
    """Normalise images of one size in batches: uint8 ``[n, height, width]`` -> uint8 ``[n, 28, 28]``."""
    normalized = np.zeros((len(images), GRID, GRID), np.uint8)
    # Apart from the others, because one uneven picture would send its whole batch the long way.
    is_uneven = np.any(_read_paper(tf.constant(images))[1].numpy(), axis=(1, 2))
    for group in (np.flatnonzero(is_uneven), np.flatnonzero(~is_uneven)):
        for start in range(0, len(group), batch_size):
            batch = group[start : start + batch_size]
            normalized[batch] = normalize(tf.constant(images[batch])).images.numpy()
    return normalized


def normalize_each(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Normalise pictures of any sizes: uint8 ``[height, width]`` each -> uint8 ``[n, 28, 28]``."""
    images = np.zeros((len(pictures), GRID, GRID), np.uint8)
    for shape in sorted({picture.shape for picture in pictures}):
        chosen = [number for number, picture in enumerate(pictures) if picture.shape == shape]
        images[chosen] = normalize_all(np.stack([pictures[number] for number in chosen]))
    return images
