"""Geometry of pen strokes."""

import numpy as np
import numpy.typing as npt

from serving.drawing.strokes import Strokes, bounds


def transform(strokes: Strokes, matrix: npt.ArrayLike, shift: npt.ArrayLike = (0.0, 0.0)) -> Strokes:
    """Map every point to ``matrix @ point + shift``; ``matrix`` is ``[2, 2]`` or a scalar."""
    square = np.asarray(matrix) * np.eye(2) if np.ndim(matrix) == 0 else np.asarray(matrix)
    return [(stroke @ square.T + np.asarray(shift)).astype(np.float32) for stroke in strokes]


def rotation(angle: float) -> npt.NDArray[np.float64]:
    """Return the matrix that turns by an angle in radians, from x towards y."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def fit(strokes: Strokes) -> Strokes:
    """Centre a drawing on the origin and scale its longest side to 1. A single dot moves to the origin."""
    low, high = bounds(strokes)
    longest = float((high - low).max())
    scale = 1 / longest if longest > 0 else 1.0
    return transform(strokes, scale, -scale * (low + high) / 2)


def length(strokes: Strokes) -> float:
    """Return the length of the pen's path, in the unit of the drawing."""
    return float(sum(np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes))


def resample(line: np.ndarray, step: float) -> np.ndarray:
    """Return the line with equally spaced points, at most ``step`` apart; a dot stays a dot."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if along[-1] == 0:
        return line[:1]
    ticks = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(ticks, along, line[:, axis]) for axis in (0, 1)], axis=1)


def cut(strokes: Strokes, axis: int, low: float, high: float) -> Strokes:
    """Return the parts of a drawing between two values of x (axis 0) or y (axis 1); it may be empty."""
    parts: Strokes = []
    for stroke in strokes:
        inside = (stroke[:, axis] >= low) & (stroke[:, axis] <= high)
        ends = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
        parts += [stroke[start:end] for start, end in ends.reshape(-1, 2)]
    return parts
