"""Find the sets of strokes that may be one digit, and draw them.

`web/js/number/candidates.js` repeats this module. All numbers are float64, with the operations in the same order.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.drawing.rasterize import rasterize
from serving.drawing.strokes import Strokes, bounds

# The most strokes of a digit.
MAX_RUN = 4

# Side of a candidate's picture, the height of the line in it, and the width of the pen relative to that height.
SIDE_PX = 64
LINE_PX = 28
PEN = 0.12

# Wider or higher candidates, in line heights, are not drawn. They would leave less than 4 pixels around the ink.
MAX_EXTENT = 1.85

# Some of the strokes are a candidate only up to this width, to draw fewer. Digits of several strokes by validation
# writers are at most 1.28 wide.
MAX_WIDTH_OF_SOME = 1.4

# The line is at least this share of the sheet, so that a dot stays a dot, and of the widest stroke, because a dash has
# no height.
LEAST_LINE = 0.04
LEAST_OF_WIDEST = 0.2

# The line is at most this many times as high as the upper quartile of the strokes.
MOST_OF_STROKES = 1.5


@dataclass(frozen=True)
class Box:
    """A part of the sheet, which is 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> float:
        """Return the centre from left to right."""
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Candidate:
    """Strokes that may be one digit. Lengths are relative to the height of the line.

    Attributes:
        strokes: their indices, ascending.
        mask: a bit for each of the strokes, in the order from left to right.
        box: of the pen's path.
        lowness: how much lower it is than the line, at least 0.
        width: of the box.
        gap: the widest gap between its strokes, from left to right; 0 if they overlap.
        n_late: strokes of other digits that were drawn between its strokes.
    """

    strokes: tuple[int, ...]
    mask: int
    box: Box
    lowness: float
    width: float
    gap: float
    n_late: int


def boxes_of(strokes: Strokes) -> list[Box]:
    """Return the box of each stroke."""
    corners = (np.concatenate(bounds([stroke])).astype(np.float64).tolist() for stroke in strokes)
    return [Box(*corner) for corner in corners]


def join(boxes: list[Box]) -> Box:
    """Return the box around boxes."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def line_height(boxes: list[Box]) -> float:
    """Estimate the height of the digits, from the boxes of the strokes.

    It is the upper third of the heights of the groups of strokes that overlap from left to right. Many digits that
    overlap are one group, so the heights of the strokes limit it.
    """
    groups: list[list[Box]] = []
    right = 0.0
    for box in sorted(boxes, key=lambda box: box.left):
        if groups and box.left <= right:
            groups[-1].append(box)
            right = max(right, box.right)
        else:
            groups.append([box])
            right = box.right
    around = [join(group) for group in groups]
    heights = sorted((box.bottom - box.top for box in around), reverse=True)
    tallest = sorted((box.bottom - box.top for box in boxes), reverse=True)
    widest = max(box.right - box.left for box in boxes)
    line = min(heights[(len(heights) - 1) // 3], MOST_OF_STROKES * tallest[len(tallest) // 4])
    return max(line, LEAST_OF_WIDEST * widest, LEAST_LINE)


def find_candidates(boxes: list[Box], line: float) -> list[Candidate]:
    """Return the sets of strokes that may be one digit: runs in the order of drawing, or from left to right.

    A late stroke of an earlier digit is beside its digit from left to right. All strokes together are a candidate, too.

    Args:
        boxes: of the strokes.
        line: the result of `line_height`.
    """
    n_strokes = len(boxes)
    places = sorted(range(n_strokes), key=lambda index: boxes[index].centre)
    bits = [0] * n_strokes
    for place, index in enumerate(places):
        bits[index] = 1 << place
    found: dict[int, Candidate] = {}
    for order in (places, range(n_strokes)):
        for start in range(n_strokes):
            lengths = range(1, min(MAX_RUN, n_strokes - start) + 1)
            for length in [*lengths, n_strokes] if start == 0 else lengths:
                chosen = sorted(order[start : start + length])
                mask = sum(bits[index] for index in chosen)
                box = join([boxes[index] for index in chosen])
                width, height = (box.right - box.left) / line, (box.bottom - box.top) / line
                max_width = MAX_WIDTH_OF_SOME if 1 < length < n_strokes else MAX_EXTENT
                if mask not in found and width <= max_width and height <= MAX_EXTENT:
                    gap = _gap([boxes[index] for index in chosen]) / line
                    n_late = chosen[-1] - chosen[0] + 1 - len(chosen)
                    found[mask] = Candidate(tuple(chosen), mask, box, max(1.0 - height, 0.0), width, gap, n_late)
    return list(found.values())


def _gap(boxes: list[Box]) -> float:
    first, *others = sorted(boxes, key=lambda box: box.left)
    widest, right = 0.0, first.right
    for box in others:
        widest = max(widest, box.left - right)
        right = max(right, box.right)
    return widest


def draw_candidates(
    strokes: Strokes, boxes: list[Box], candidates: list[Candidate], line: float
) -> npt.NDArray[np.uint8]:
    """Draw candidates in one size: uint8 [n, SIDE_PX, SIDE_PX], 255 = ink.

    Each stroke is drawn once, in a tile of its own. A candidate's picture is the maximum of the tiles of its strokes.

    Args:
        strokes: on the sheet.
        boxes: of the strokes.
        candidates: each stroke must be in at least one of them.
        line: the result of `line_height`.
    """
    scale = LINE_PX / line
    corners = [_corner(box, scale) for box in boxes]
    placed: Strokes = [
        stroke.astype(np.float64) * scale + (place * SIDE_PX - left, -top)
        for place, (stroke, (left, top)) in enumerate(zip(strokes, corners, strict=True))
    ]
    tiles = rasterize(placed, (SIDE_PX, SIDE_PX * len(strokes)), PEN * LINE_PX)
    pictures = np.zeros((len(candidates), SIDE_PX, SIDE_PX), np.uint8)
    for picture, candidate in zip(pictures, candidates, strict=True):
        left, top = _corner(candidate.box, scale)
        for index in candidate.strokes:
            x, y = corners[index][0] - left, corners[index][1] - top  # of the tile in the picture
            tile = tiles[:, index * SIDE_PX : (index + 1) * SIDE_PX]
            part = picture[max(y, 0) : SIDE_PX + min(y, 0), max(x, 0) : SIDE_PX + min(x, 0)]
            np.maximum(part, tile[max(-y, 0) : SIDE_PX - max(y, 0), max(-x, 0) : SIDE_PX - max(x, 0)], out=part)
    return pictures


def _corner(box: Box, scale: float) -> tuple[int, int]:
    """Return left and top of the square of `SIDE_PX` with a box in its middle, whole pixels."""
    x, y = (box.left + box.right) / 2 * scale, (box.top + box.bottom) / 2 * scale
    return int(np.floor(x)) - SIDE_PX // 2, int(np.floor(y)) - SIDE_PX // 2
