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
    warped = sample(images[..., 0], from_x, from_y)[..., None]
    return _change_ink(warped, config, draws[:, 6, None, None, None], draws[:, 7, None, None, None])


def _change_ink(images: tf.Tensor, config: AugmentConfig, pen: tf.Tensor, softness: tf.Tensor) -> tf.Tensor:
    """Thicken or thin the lines by up to a pixel on each side, and blur them. Keep the maximum of each image.

    Args:
        images: float32 ``[batch, height, width, 1]``.
        config: the ranges.
        pen: float32 ``[batch, 1, 1, 1]`` in -1..1, from thinnest to thickest.
        softness: shape and range as `pen`, from sharp to `config.blur`.
    """
    darkest = tf.reduce_max(images, axis=[1, 2, 3], keepdims=True)
    changed = images
    if config.thickness:
        thick, thin = tf.nn.max_pool2d(images, 3, 1, "SAME"), -tf.nn.max_pool2d(-images, 3, 1, "SAME")
        pen *= config.thickness
        changed += tf.nn.relu(pen) * (thick - images) + tf.nn.relu(-pen) * (thin - images)
    if config.blur:
        soft = tf.nn.avg_pool2d(tf.nn.avg_pool2d(changed, 3, 1, "SAME"), 3, 1, "SAME")
        changed += config.blur * (0.5 + 0.5 * softness) * (soft - changed)
    # Like the normaliser, which stretches the ink to the full range.
    return tf.math.divide_no_nan(changed * darkest, tf.reduce_max(changed, axis=[1, 2, 3], keepdims=True))


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
    height, width = images.shape[1], images.shape[2]
    # A border of zeros, and positions clipped to it, so that positions outside need no extra case.
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2]])
    # Each pixel with its three neighbours, so that one gather returns all four corners of a sample.
    corners = [padded[:, top : top + height + 2, left : left + width + 2] for top in (0, 1) for left in (0, 1)]
    quads = tf.reshape(tf.stack(corners, axis=3), [-1, (height + 2) * (width + 2), 4])
    x, y = tf.clip_by_value(x + 1.0, 0.0, width + 1.0), tf.clip_by_value(y + 1.0, 0.0, height + 1.0)
    left, top = tf.floor(x), tf.floor(y)
    index = tf.reshape(tf.cast(top * (width + 2) + left, tf.int32), [-1, height * width])
    found = tf.reshape(tf.gather(quads, index, batch_dims=1), [-1, height, width, 4])
    right, lower = x - left, y - top
    upper_left, upper_right, lower_left, lower_right = tf.unstack(found, axis=3)
    return (1.0 - lower) * ((1.0 - right) * upper_left + right * upper_right) + lower * (
        (1.0 - right) * lower_left + right * lower_right
    )
