"""Random affine warps of whole batches, in the graph: rotation, scale, shear and shift in one transform."""

import tensorflow as tf

from pipeline.config import AugmentConfig


def augment(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Warp each image by its own random affine transform about the image's centre.

    Args:
        images: float32 ``[batch, height, width, 1]``, 0 = background, which is also what comes in from outside.
        config: the ranges; every quantity is uniform in plus or minus its range.
        seed: int32 ``[2]``; the same seed gives the same warps, whatever the number of threads.

    Returns:
        float32 ``[batch, height, width, 1]``.
    """
    batch, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    limits = tf.constant(
        [config.rotation, config.scale, config.scale, config.shear, config.shift, config.shift], tf.float32
    )
    draws = tf.random.stateless_uniform([batch, 6], seed, -1.0, 1.0) * limits
    angle, scale_x, scale_y, shear, shift_x, shift_y = tf.unstack(draws, axis=1)

    # Output pixel -> input pixel: rotation and shear, then a scale on each axis.
    cos, sin = tf.cos(angle), tf.sin(angle)
    a0, a1 = (1.0 + scale_x) * (cos + shear * sin), (1.0 + scale_x) * (shear * cos - sin)
    b0, b1 = (1.0 + scale_y) * sin, (1.0 + scale_y) * cos
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    a2 = centre_x - a0 * centre_x - a1 * centre_y + shift_x
    b2 = centre_y - b0 * centre_x - b1 * centre_y + shift_y
    zeros = tf.zeros_like(angle)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1),  # the raw op's order of coefficients
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
