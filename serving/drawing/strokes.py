"""Place pen strokes on a canvas.

Coordinates: x to the right, y down. On a canvas they are in pixels, and pixel i covers i to i + 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

# float32 or float64 [n_points, 2], x right, y down, any unit; a single point is a dot.
Stroke = npt.NDArray[np.floating[Any]]
Strokes = list[Stroke]
MIN_LINE_PX = 1.0  # thinner lines are drawn this wide


def place(
    strokes: Strokes,
    shape: tuple[int, int],
    height_fraction: float,
    position: tuple[float, float] = (0.5, 0.5),
    line_width: float = 0.0,
) -> Strokes:
    """Scale and move a drawing onto a canvas, so that all of its ink is inside. Return float64.

    Args:
        strokes: strokes in any unit.
        shape: height and width of the canvas, pixels.
        height_fraction: longest side of the bounding box (of the pen's path, without the line width), relative to the
            shorter side of the canvas. It is reduced if the ink would not fit.
        position: x and y in the free space: 0 is left or top, 1 is right or bottom.
        line_width: pixels; half of it is kept free around the path.
    """
    low, high = np.asarray(bounds(strokes), np.float64)
    room = np.array([shape[1], shape[0]]) - max(line_width, MIN_LINE_PX)
    extent = high - low
    factors = [height_fraction * min(shape) / max(extent.max(), 1e-9), *(room / np.maximum(extent, 1e-9))]
    scale = max(min(factors), 0.0) if extent.max() > 0 else 1.0
    origin = max(line_width, MIN_LINE_PX) / 2 + (room - extent * scale) * position
    return [(stroke - low) * scale + origin for stroke in strokes]


def bounds(strokes: Strokes) -> tuple[Stroke, Stroke]:
    """Return the smallest and the largest x and y: two arrays [2]."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)
