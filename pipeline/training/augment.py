"""Augment batches in the graph: affine and elastic warps, line thickness and blur."""

import numpy as np
import tensorflow as tf
from scipy.interpolate import BSpline

from pipeline.config.schema import AugmentConfig

KNOTS = 7  # number of knots of the elastic field on each axis


def augment(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Apply a random affine transform about the centre and a random elastic field to each image, then change its ink.

    Args:
        images: float32 ``[batch, height, width, 1]``, 0 = background, also outside the image.
        config: the ranges.
        seed: int32 ``[2]``; the same seed gives the same warps with any number of threads.

    Returns:
        float32 ``[batch, height, width, 1]``.
    """
    if not any(vars(config).values()):
        return images
    batch, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    draws = tf.random.stateless_uniform([batch, 8 + 2 * KNOTS * KNOTS], seed, -1.0, 1.0)
    limits = [config.rotation, config.scale, config.scale, config.shear, config.shift, config.shift]
    parts = tf.unstack(draws[:, :6, None, None] * tf.constant(limits)[:, None, None], axis=1)  # [batch, 1, 1] each
    angle, scale_x, scale_y, shear, shift_x, shift_y = parts

    # Output pixel -> input pixel: rotation and shear, then a scale on each axis.
    x = tf.range(float(width))[None, None, :] - (width - 1) / 2
    y = tf.range(float(height))[None, :, None] - (height - 1) / 2
    cos, sin = tf.cos(angle), tf.sin(angle)
    from_x = (1.0 + scale_x) * ((cos + shear * sin) * x + (shear * cos - sin) * y) + shift_x + (width - 1) / 2
    from_y = (1.0 + scale_y) * (sin * x + cos * y) + shift_y + (height - 1) / 2
    if config.elastic:
        knots = tf.reshape(draws[:, 8:], [-1, 2, KNOTS, KNOTS]) * config.elastic
        field = tf.constant(_splines(height)) @ knots @ tf.constant(_splines(width).T)  # [batch, 2, height, width]
        from_x += field[:, 0]
        from_y += field[:, 1]
    warped = sample(images[..., 0], from_x, from_y)
    return _change_ink(warped, config, draws[:, 6, None, None], draws[:, 7, None, None])[..., None]


def _change_ink(images: tf.Tensor, config: AugmentConfig, pen: tf.Tensor, softness: tf.Tensor) -> tf.Tensor:
    """Thicken or thin the lines by up to a pixel on each side, and blur them. Keep the maximum of each image.

    Args:
        images: float32 ``[batch, height, width]``.
        config: the ranges.
        pen: float32 ``[batch, 1, 1]`` in -1..1, from thinnest to thickest.
        softness: shape and range as `pen`, from sharp to `config.blur`.
    """
    darkest = tf.reduce_max(images, axis=[1, 2], keepdims=True)
    changed = images
    if config.thickness:
        pen *= config.thickness
        changed += tf.nn.relu(pen) * (_largest(images) - images) - tf.nn.relu(-pen) * (_largest(-images) + images)
    if config.blur:
        rows, columns = (tf.constant(_blurring(size)) for size in images.shape[1:])
        changed += config.blur * (0.5 + 0.5 * softness) * (rows @ changed @ columns - changed)
    # Like the normaliser, which stretches the ink to the full range.
    return tf.math.divide_no_nan(changed * darkest, tf.reduce_max(changed, axis=[1, 2], keepdims=True))


def _largest(images: tf.Tensor) -> tf.Tensor:
    """Return the maximum of each pixel and its eight neighbours; 0 outside. Faster than pooling with one channel."""
    height, width = images.shape[1], images.shape[2]
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1]])
    above, here, below = (padded[:, top : top + height] for top in range(3))
    columns = tf.maximum(tf.maximum(above, here), below)
    left, middle, right = (columns[:, :, start : start + width] for start in range(3))
    return tf.maximum(tf.maximum(left, middle), right)


def _blurring(size: int) -> np.ndarray:
    """Return the symmetric matrix that blurs as two boxes of three pixels do: float32 ``[size, size]``."""
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    return sum(weight * np.eye(size, k=k) for k, weight in enumerate(kernel, -2)).astype(np.float32)


def _splines(size: int) -> np.ndarray:
    """Return cubic B-splines of equally spaced knots over `size` pixels: float32 ``[size, KNOTS]``."""
    inner = KNOTS - 3  # intervals
    knots = np.arange(-3, inner + 4)
    return BSpline.design_matrix(np.linspace(0, inner - 1e-6, size), knots, 3).toarray().astype(np.float32)


def sample(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return bilinear samples of images at fractional pixels.

    Args:
        images: float32 ``[batch, height, width]``, 0 outside.
        x: float32 ``[batch, height, width]``, columns; 0 is the centre of the first.
        y: rows, with the same shape.
    """
    height, width = images.shape[1] + 2, images.shape[2] + 2
    # A border of zeros, and positions clipped to it, so that positions outside need no extra case.
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2]])
    x, y = tf.clip_by_value(x + 1.0, 0.0, width - 1.0), tf.clip_by_value(y + 1.0, 0.0, height - 1.0)
    left, top = tf.floor(x), tf.floor(y)
    first = height * width * tf.range(tf.shape(images)[0])[:, None, None]  # index of each image's first pixel
    index = first + tf.cast(top * width + left, tf.int32)

    def neighbours(row: int, column: int) -> tf.Tensor:
        return tf.gather(tf.reshape(padded[:, row : row + height, column : column + width], [-1]), index)

    upper_left, lower_left = neighbours(0, 0), neighbours(1, 0)
    upper = upper_left + (x - left) * (neighbours(0, 1) - upper_left)
    lower = lower_left + (x - left) * (neighbours(1, 1) - lower_left)
    return upper + (y - top) * (lower - upper)
