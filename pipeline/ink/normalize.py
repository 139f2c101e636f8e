"""Normalise grey pixels of any size to the 28x28 input of the network.

The steps are those of MNIST itself (LeCun et al., 1998): fit the ink into 20x20, keep the aspect ratio, and centre it
by mass in 28x28. They use only TensorFlow operations. So `export` can put them into the model file, and no other
implementation is needed. Resampling is two matrix products with area-overlap weights, without a loop or a resize.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf

VERSION = "2"
GRID = 28  # side of the network's input, pixels
FIT = 20.0  # the longest side of the ink is scaled to this many pixels
CENTRE = 14.5  # the centre of mass goes to the middle of pixel 14, measured from the grid's edge
INK_THRESHOLD = 0.1  # relative to the peak: the bounding box encloses the pixels above it
MIN_CONTRAST = 0.1  # smallest difference between background and peak, on a scale of 0 to 1; below it there is no ink
# Ink must exceed GRAIN_MARGIN times the grain of the paper: the 75th percentile of the deviations at the edges. For
# normal noise this is 1.15 standard deviations, or 0.67 if black or white clips half of it. At most MAX_GRAIN of the
# peak is subtracted, so that a texture, which has no plain paper, does not look blank.
GRAIN_QUANTILE = 0.75
GRAIN_MARGIN = 5.0
MAX_GRAIN = 0.3
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


class _Axis(NamedTuple):
    """Position of the ink on one axis of the source."""

    positions: tf.Tensor  # [size], left edges of the source pixels
    low: tf.Tensor  # [batch], source pixels
    high: tf.Tensor  # [batch], source pixels
    mass_centre: tf.Tensor  # [batch], source pixels from the edge


def normalize(images: tf.Tensor, without: Collection[Step] = ()) -> Normalized:
    """Find the ink, fit it into 20x20 pixels and centre its mass in 28x28.

    Args:
        images: uint8 ``[batch, height, width]``, any size of at least 1x1, dark on light or light on dark.
        without: steps to leave out, for `pipeline.evaluation.steps`. Without "polarity", light is ink and nothing is
            subtracted; without "box", the whole picture is fitted; without "aspect", each axis has its own scale;
            without "fit", there is no margin; without "mass", the box is centred.
    """
    grey = tf.cast(images, tf.float32) / 255.0
    paper, grain = _paper(grey)
    darker, lighter = paper - tf.reduce_min(grey, axis=[1, 2]), tf.reduce_max(grey, axis=[1, 2]) - paper
    peak = tf.maximum(darker, lighter)  # ink may be darker or lighter than the paper
    has_ink = peak >= MIN_CONTRAST
    per_peak = tf.cast(has_ink, tf.float32) / tf.maximum(peak, MIN_CONTRAST)
    ink = (grey - _columns(paper)) * _columns(tf.where(darker > lighter, -per_peak, per_peak))
    ink = tf.nn.relu(ink - _columns(tf.minimum(GRAIN_MARGIN * grain * per_peak, MAX_GRAIN)))  # [batch, height, width]
    if "polarity" in without:
        ink = grey

    y = _axis(ink, 2, without)
    x = _axis(ink, 1, without)
    lengths = [y.high - y.low, x.high - x.low]
    spans = lengths if "aspect" in without else [tf.maximum(*lengths)]
    # Source pixels in a grid pixel; one value serves both axes.
    scales = [tf.maximum(span, 1.0) / (float(GRID) if "fit" in without else FIT) for span in spans]

    rows, columns = _overlap(y, scales[0], without), _overlap(x, scales[-1], without)
    fitted = tf.matmul(rows @ ink, columns, transpose_b=True)  # [batch, 28, 28]
    peak = tf.maximum(tf.reduce_max(fitted, axis=[1, 2], keepdims=True), 1e-6)
    pixels = tf.cast(tf.floor(fitted * (255.0 / peak) + ROUNDING), tf.uint8)
    return Normalized(pixels, tf.stack([x.low, y.low, x.high, y.high], axis=1), has_ink)


def _columns(per_image: tf.Tensor) -> tf.Tensor:
    """Reshape ``[batch]`` to ``[batch, 1, 1]``."""
    return tf.reshape(per_image, [-1, 1, 1])


def _paper(grey: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the grey level and the grain of the paper: two float32 ``[batch]``.

    Ink may touch the edges of the picture, but it covers less than half of them.
    """
    edges = tf.concat([grey[:, 0, :], grey[:, -1, :], grey[:, :, 0], grey[:, :, -1]], axis=1)
    paper = _quantile(edges, 0.5)
    return paper, _quantile(tf.abs(edges - tf.reshape(paper, [-1, 1])), GRAIN_QUANTILE)


def _quantile(values: tf.Tensor, share: float) -> tf.Tensor:
    """Return a quantile of each row: ``[batch, n]`` -> ``[batch]``."""
    n_above = tf.cast(tf.cast(tf.shape(values)[1], tf.float32) * (1.0 - share), tf.int32)
    return tf.math.top_k(values, n_above + 1).values[:, -1]


def _axis(ink: tf.Tensor, across: int, without: Collection[Step]) -> _Axis:
    """Find the extent and the centre of mass of the ink on one axis; `across` is the other axis (1 or 2)."""
    profile = tf.reduce_max(ink, axis=across)  # [batch, size]
    mass = tf.reduce_sum(ink, axis=across)
    size = tf.cast(tf.shape(profile)[1], tf.float32)
    positions = tf.range(0.0, size)
    is_on = tf.cast(profile > INK_THRESHOLD, tf.float32)
    high = tf.reduce_max(is_on * (positions + 1.0), axis=1)
    # Without ink `high` is 0 and the difference is `size`; the minimum makes `low` 0, too.
    low = tf.minimum(size - tf.reduce_max(is_on * (size - positions), axis=1), high)
    if "box" in without:
        low, high = tf.zeros_like(low), tf.zeros_like(high) + size
    total = tf.maximum(tf.reduce_sum(mass, axis=1), 1e-6)
    return _Axis(positions, low, high, tf.reduce_sum(mass * (positions + 0.5), axis=1) / total)


def _overlap(axis: _Axis, scale: tf.Tensor, without: Collection[Step]) -> tf.Tensor:
    """Return area weights ``[batch, 28, size]``: the share of each source pixel in each grid pixel."""
    # A whole-pixel offset keeps the grey levels of a digit that is already 20 pixels high.
    offset = tf.round(CENTRE - (axis.mass_centre - axis.low) / scale)
    extent = tf.math.ceil((axis.high - axis.low) / scale - 1e-4)
    if "mass" in without:
        offset = tf.round((GRID - extent) / 2.0)
    offset = tf.minimum(tf.maximum(offset, 0.0), GRID - extent)
    scale = _columns(scale)
    cells = tf.reshape(tf.range(float(GRID)), [1, -1, 1]) * scale  # [batch, 28, 1]
    cells += _columns(axis.low - offset * tf.reshape(scale, [-1]))  # left edges in the source
    overlap = tf.minimum(cells + scale, axis.positions + 1.0) - tf.maximum(cells, axis.positions)
    return tf.nn.relu(overlap) / scale


def normalize_all(images: np.ndarray, batch_size: int = 2000) -> np.ndarray:
    """Normalise images of one size in batches: uint8 ``[n, height, width]`` -> uint8 ``[n, 28, 28]``."""
    batches = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    return np.concatenate([normalize(tf.constant(batch)).images.numpy() for batch in batches])


def normalize_each(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Normalise pictures of any sizes: uint8 ``[height, width]`` each -> uint8 ``[n, 28, 28]``."""
    images = np.zeros((len(pictures), GRID, GRID), np.uint8)
    for shape in sorted({picture.shape for picture in pictures}):
        chosen = [number for number, picture in enumerate(pictures) if picture.shape == shape]
        images[chosen] = normalize_all(np.stack([pictures[number] for number in chosen]))
    return images
