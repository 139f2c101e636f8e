"""Sums over the cells of a grid, with the operations that the ONNX converter turns into few nodes."""

import numpy as np
import tensorflow as tf

FAR = 2.0**20  # larger than the side of any picture; float32 still counts to it exactly


def axes_of(images: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return the first edges of the pixels on y and x, ``[height]`` and ``[width]``, and height and width, float32."""
    sizes = tf.cast(tf.shape(images, tf.int64), tf.float32)
    height, width = tf.gather(sizes, 1), tf.gather(sizes, 2)
    return (tf.range(0.0, height), tf.range(0.0, width)), (height, width)


def to_float(condition: tf.Tensor) -> tf.Tensor:
    """Return 1 where a condition holds, and 0 elsewhere. The converter needs six nodes for `tf.where`."""
    return tf.cast(condition, tf.float32)


def sum_cells(levels: tf.Tensor, edges: tuple[tf.Tensor, tf.Tensor], axes: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Sum the levels in each cell of a grid: float32 ``[batch, n, n]``.

    Args:
        levels: float32 ``[batch, height, width]``.
        edges: of the cells on y and x, in source pixels, ``[batch, n + 1, 1]`` each.
        axes: first edges of the pixels, ``[height]`` and ``[width]``.
    """
    rows, columns = (
        tf.raw_ops.ClipByValue(t=of_cells - of_pixels, clip_value_min=0.0, clip_value_max=1.0)
        for of_cells, of_pixels in zip(edges, axes, strict=True)
    )  # shares of the pixels before each edge
    sums = tf.matmul(rows @ levels, columns, transpose_b=True)  # of all pixels before both edges
    difference = np.diff(np.eye(edges[0].shape[1], dtype=np.float32), axis=0)
    return difference @ (sums @ difference.T)
