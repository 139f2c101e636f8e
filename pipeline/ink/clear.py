"""Remove shadows, frames, lines and rules from a picture, which is reduced to `CELLS` x `CELLS` for it.

The shares are relative to the peak of the ink that remains, unless noted.
"""

import math

import numpy as np
import tensorflow as tf

from pipeline.ink.grid import FAR, axes_of, sum_cells, to_float

CELLS = 64
DARK_PAPER = 0.4  # the paper is dark if the mean level is below this share of the range of levels
THICKEST = 7  # cells; shadows are thicker than this, lines and strokes are not
FAINT = 0.06  # fainter ink is removed
# Ink in a shadow is made darker only down to this level of the paper, relative to the brightest cell.
DARKEST_PAPER = 0.35
SOLID = 0.25  # ink that must not come near the edge
REACH = 0.94  # solid ink may come so near to the edge; 0 is the middle, 1 the edge
MIN_REMOVED = 0.45  # smallest ink that is worth removing, relative to a line that is one pixel wide
MIN_REST = 0.1  # smallest peak, relative to the brightest cell
MIN_SOLID = 0.005  # share of the cells with solid ink: smaller digits would lose their shape


def clear(grey: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Remove what reaches into the picture from its corners, or leads through it from edge to edge.

    These are shadows, uneven light, dark corners, frames, and lines at the edge or below a digit. From each of their
    points, a straight way to the edge, and then along the edge to a corner, has no less ink. The digit must be well
    inside the picture. If the rest comes near the edge, it is a cropped digit, and nothing may be removed.

    Returns:
        - The remaining ink in 0..255, float32 ``[batch, height, width]``.
        - 1.0 if it is better than all the ink, float32 ``[batch, 1, 1]``.
    """
    axes, sides = axes_of(grey)
    steps = np.arange(CELLS + 1, dtype=np.float32)[None, :, None] / CELLS
    cells = sum_cells(grey, (steps * sides[0], steps * sides[1]), axes)[..., tf.newaxis]  # [batch, CELLS, CELLS, 1]
    least, most = tf.reduce_min(cells, [1, 2], True), tf.reduce_max(cells, [1, 2], True)
    spread = most - least
    is_light = to_float(tf.reduce_mean(cells, [1, 2], True) > least + DARK_PAPER * spread)
    ink = (least + is_light * spread - cells) * (2.0 * is_light - 1.0)
    # Lines have their own ways, without shadows. So a stroke that runs from the light into a shadow leads to no edge.
    wide = tf.nn.max_pool2d(-tf.nn.max_pool2d(-ink, THICKEST, 1, "SAME"), THICKEST, 1, "SAME")
    thin = ink - wide
    both = tf.concat([ink, thin, _turn(thin), _turn(ink)], axis=3)  # for ways along columns, and along rows
    near = tf.nn.max_pool2d(both, 3, 1, "SAME")  # ways may bend by a cell
    up, down = _least_to_ends(near)
    aside = tf.gather(_turn(tf.maximum(up, down)), [3, 3, 0, 0], axis=3)  # the way along an edge is of all ink
    reached = tf.maximum(tf.minimum(up, aside[:, :1]), tf.minimum(down, aside[:, -1:]))
    reached = tf.maximum(reached, up[:, -1:])  # through from edge to edge
    reached = tf.maximum(reached, _turn(tf.reverse(reached, [3])))[..., :2]
    reached = tf.reduce_sum(tf.minimum(reached, tf.concat([wide, thin], axis=3)), 3, True)
    pixel = tf.minimum(CELLS / tf.maximum(*sides), 1.0)  # the largest share of a pixel in a cell
    paper = tf.maximum(most - is_light * reached, DARKEST_PAPER * most)  # in a shadow, ink differs less from the paper
    rest = (ink - reached) * (most / paper)
    peak = tf.reduce_max(rest, [1, 2], True)
    solid = to_float(rest > SOLID * peak)
    away = np.abs(np.arange(CELLS, dtype=np.float32) + 0.5 - CELLS / 2) / (CELLS / 2)
    away = np.maximum(away[:, None], away)[None, :, :, None]  # distance of each cell from the middle
    is_better = (
        to_float(tf.reduce_max(solid * away, [1, 2], True) < REACH)
        * to_float(peak > MIN_REST * most)
        * to_float(tf.reduce_max(reached, [1, 2], True) > MIN_REMOVED * pixel * peak)
        * to_float(tf.reduce_mean(solid, [1, 2], True) > MIN_SOLID)
    )
    rest = tf.nn.relu(rest - FAINT * peak) * (255.0 / tf.maximum(peak, 1e-6))
    rest = tf.reshape(rest, [-1, CELLS, CELLS])
    for axis in (1, 0):
        rest = tf.gather(rest, tf.cast(axes[axis] * (CELLS / sides[axis]), tf.int32), axis=1 + axis)
    return rest, tf.reshape(is_better, [-1, 1, 1])


def _least_to_ends(maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the minima from each cell to the first and to the last of its column.

    Minima of the cell's own block and of the other blocks are joined: with windows as long as a column, this would be
    the slowest step.

    Args:
        maps: float32 ``[batch, CELLS, CELLS, n]``, as both results.
    """
    block = math.isqrt(CELLS)
    n_maps = maps.shape[3]
    blocks = tf.reshape(maps, [-1, block, CELLS, n_maps])
    padding = [[0, 0], [block - 1, block - 1], [0, 0], [0, 0]]
    within = -tf.nn.max_pool2d(-blocks, (block, 1), 1, padding)  # in the block of the cell
    whole = tf.reshape(within[:, block - 1], [-1, block, CELLS, n_maps])
    whole = tf.pad(whole, [[0, 0], [1, 1], [0, 0], [0, 0]], constant_values=FAR)  # no block before or after
    others = -tf.nn.max_pool2d(-whole, (block, 1), 1, padding)  # [batch, 2 * block + 1, CELLS, n]

    def join(in_block: tf.Tensor, in_others: tf.Tensor) -> tf.Tensor:
        in_others = tf.reshape(in_others, [-1, 1, CELLS, n_maps])
        return tf.reshape(tf.minimum(in_block, in_others), [-1, CELLS, CELLS, n_maps])

    return join(within[:, :block], others[:, :block]), join(within[:, block - 1 :], others[:, block + 1 :])


def _turn(maps: tf.Tensor) -> tf.Tensor:
    return tf.transpose(maps, [0, 2, 1, 3])
