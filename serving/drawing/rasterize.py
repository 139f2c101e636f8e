"""Draw pen strokes as antialiased ink."""

import numpy as np

from serving.drawing.strokes import MIN_LINE_PX, Strokes, place


def rasterize(strokes: Strokes, shape: tuple[int, int], line_width: float) -> np.ndarray:
    """Draw strokes with round caps and joins: uint8 [height, width], 0 = background, 255 = ink.

    The grey level of a pixel depends on the distance of its centre to the nearest segment, which gives lines the right
    area. This is faster than reducing a large drawing, because only a window around each segment is computed.

    Args:
        strokes: in pixels; ink outside the canvas is cut off.
        shape: height and width, pixels.
        line_width: pixels.
    """
    reach = max(line_width, MIN_LINE_PX) / 2 + 0.5  # pixels at this distance have no ink
    starts = np.concatenate([stroke[: max(len(stroke) - 1, 1)] for stroke in strokes])
    ends = np.concatenate([stroke[min(len(stroke) - 1, 1) :] for stroke in strokes])
    middles, steps = (starts + ends) / 2, ends - starts
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    directions = steps / np.maximum(lengths, np.float32(1e-6))[:, None]
    directions[lengths == 0] = 1.0, 0.0  # any direction will do for a dot

    # The offset along a segment, and the one across it, is a term of the column plus a term of the row.
    x = np.arange(0.5, shape[1], dtype=np.float32) - middles[:, :1]  # [n_segments, width]
    y = np.arange(0.5, shape[0], dtype=np.float32) - middles[:, 1:]  # [n_segments, height]
    along_x, across_x = x * directions[:, :1], x * directions[:, 1:]
    along_y, across_y = (y * directions[:, 1:])[:, :, None], (y * directions[:, :1])[:, :, None]
    nearest = np.full(shape, reach * reach, np.float32)  # squared distance
    windows = _windows(starts, ends, reach, shape)
    for k, ((left, top, right, bottom), length) in enumerate(zip(windows, lengths.tolist(), strict=True)):
        beyond = along_x[k, left:right] + along_y[k, top:bottom]
        np.abs(beyond, out=beyond)
        beyond -= length / 2
        np.maximum(beyond, 0.0, out=beyond)
        across = across_y[k, top:bottom] - across_x[k, left:right]
        window = nearest[top:bottom, left:right]
        np.minimum(window, beyond * beyond + across * across, out=window)
    return (np.clip(reach - np.sqrt(nearest), 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def _windows(starts: np.ndarray, ends: np.ndarray, reach: float, shape: tuple[int, int]) -> list[list[int]]:
    """Return left, top, right and bottom of the pixels that each segment can touch, within the canvas."""
    limits = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(np.minimum(starts, ends) - reach), 0, limits)
    high = np.clip(np.ceil(np.maximum(starts, ends) + reach), 0, limits)
    windows: list[list[int]] = np.concatenate([low, high], axis=1).astype(int).tolist()
    return windows


def draw(
    strokes: Strokes,
    shape: tuple[int, int],
    height_fraction: float,
    line_fraction: float,
    position: tuple[float, float] = (0.5, 0.5),
) -> np.ndarray:
    """Place and draw strokes: uint8 [height, width], 255 = ink. `line_fraction` is relative to the longest side."""
    line_width = line_fraction * height_fraction * min(shape)
    return rasterize(place(strokes, shape, height_fraction, position, line_width), shape, line_width)
