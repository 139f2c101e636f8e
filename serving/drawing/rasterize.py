"""Draw pen strokes as antialiased ink, equal to the byte wherever it is repeated.

All numbers are float64. The only operations are + - * /, the square root, min, max and floor, in a fixed order. The
standard IEEE 754 defines their results to the bit, so a browser can draw the same picture.
"""

import numpy as np
import numpy.typing as npt

from serving.drawing.strokes import MIN_LINE_PX, Strokes, place

# A window covers at most this length of a segment. Smaller windows would be more, larger ones would have more pixels.
PART_PX = 16

# Pixels that are computed at a time, which bounds the memory.
MAX_CHUNK_PIXELS = 2**18


def rasterize(strokes: Strokes, shape: tuple[int, int], line_width: float) -> npt.NDArray[np.uint8]:
    """Draw strokes with round caps and joins: uint8 [height, width], 0 = background, 255 = ink.

    The grey level of a pixel depends on the distance of its centre to the nearest segment, which gives lines the right
    area. Windows along the segments save most of the work. They contain all pixels with ink, so they change no pixel.

    Args:
        strokes: in pixels; ink outside the canvas is cut off.
        shape: height and width, pixels.
        line_width: pixels.
    """
    reach = max(line_width, MIN_LINE_PX) / 2 + 0.5  # pixels at this distance have no ink
    starts = np.concatenate([stroke[: max(len(stroke) - 1, 1)] for stroke in strokes]).astype(np.float64)
    ends = np.concatenate([stroke[min(len(stroke) - 1, 1) :] for stroke in strokes]).astype(np.float64)
    steps = ends - starts
    squares = steps * steps
    lengths = np.sqrt(squares[:, 0] + squares[:, 1])
    is_dot = lengths == 0
    directions = steps / (lengths + is_dot)[:, None]
    directions[is_dot, 0] = 1.0  # any direction will do
    segments = np.concatenate([(starts + ends) / 2, directions, lengths[:, None] / 2], axis=1)

    which, corners, size = _windows(starts, steps, lengths, reach, shape)
    nearest = np.full(shape[0] * shape[1], reach * reach)  # squared distance
    n_chunk = max(1, MAX_CHUNK_PIXELS // (size[0] * size[1]))
    for start in range(0, len(which), n_chunk):
        chunk = slice(start, start + n_chunk)
        x = corners[chunk, :1] + np.arange(size[0])  # columns of each window
        y = corners[chunk, 1:] + np.arange(size[1])
        pixels = (y * shape[1])[:, :, None] + x[:, None, :]
        np.minimum.at(nearest, pixels.ravel(), _distances(segments[which[chunk]], x, y).ravel())
    ink: npt.NDArray[np.float64] = np.minimum(np.maximum(reach - np.sqrt(nearest), 0.0), 1.0) * 255.0 + 0.5
    return ink.astype(np.uint8).reshape(shape)  # rounds down


def _distances(
    segments: npt.NDArray[np.float64], x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the squared distance of each segment from the pixels of its window: [n, height, width].

    Args:
        segments: middle, direction and half of the length, [n, 5].
        x: columns, [n, width].
        y: rows, [n, height].
    """
    middle_x, middle_y, direction_x, direction_y, half = segments.T[:, :, None]
    from_x, from_y = x + 0.5 - middle_x, y + 0.5 - middle_y
    # The offset along the segment, and the one across it, is a term of the column plus a term of the row.
    along_x, along_y = from_x * direction_x, from_y * direction_y
    across_x, across_y = from_x * direction_y, from_y * direction_x
    beyond: npt.NDArray[np.float64] = along_x[:, None, :] + along_y[:, :, None]
    np.abs(beyond, out=beyond)
    beyond -= half[:, None]
    np.maximum(beyond, 0.0, out=beyond)
    across = across_y[:, :, None] - across_x[:, None, :]
    beyond *= beyond
    across *= across
    beyond += across
    return beyond


def _windows(
    starts: npt.NDArray[np.float64],
    steps: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.float64],
    reach: float,
    shape: tuple[int, int],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], tuple[int, int]]:
    """Return windows that contain all pixels within `reach` of the segments: their segments, corners and size.

    All windows have the same size, width and height, so that they are computed at once.
    """
    n_parts = np.maximum(np.ceil(lengths / PART_PX), 1).astype(np.int64)
    which = np.repeat(np.arange(len(lengths)), n_parts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)  # of the part in its segment
    part_steps = (steps / n_parts[:, None])[which]
    part_starts = starts[which] + number[:, None] * part_steps
    part_ends = part_starts + part_steps
    low = np.floor(np.minimum(part_starts, part_ends) - reach)
    high = np.ceil(np.maximum(part_starts, part_ends) + reach)
    canvas = np.array([shape[1], shape[0]])
    is_visible = ((low < canvas) & (high > 0)).all(axis=1)
    which, low, high = which[is_visible], low[is_visible], high[is_visible]
    size = np.minimum((high - low).max(axis=0, initial=1.0), canvas).astype(np.int64)
    corners = np.minimum(np.maximum(low, 0), canvas - size).astype(np.int64)
    return which, corners, (int(size[0]), int(size[1]))


def count_pixels(strokes: Strokes, line_width: float) -> float:
    """Return an upper bound of the pixels that `rasterize` computes for strokes within the canvas."""
    length = sum(float(np.abs(np.diff(stroke, axis=0)).sum()) for stroke in strokes)
    n_windows = sum(map(len, strokes)) + length / PART_PX
    return n_windows * (PART_PX + max(line_width, MIN_LINE_PX) + 3) ** 2


def draw(
    strokes: Strokes,
    shape: tuple[int, int],
    height_fraction: float,
    line_fraction: float,
    position: tuple[float, float] = (0.5, 0.5),
) -> npt.NDArray[np.uint8]:
    """Place and draw strokes: uint8 [height, width], 255 = ink. `line_fraction` is relative to the longest side."""
    line_width = line_fraction * height_fraction * min(shape)
    return rasterize(place(strokes, shape, height_fraction, position, line_width), shape, line_width)
