"""Strokes are drawn as a program in another language would draw them, to the byte."""

import math
from itertools import pairwise

import numpy as np

from serving.drawing.rasterize import rasterize
from serving.drawing.sheet import SIDE_PX, Sheet, lay_out

# A pen's path as JSON has it.
Points = list[tuple[float, float]]


def draw_plainly(strokes: list[Points], height: int, width: int, line_width: float) -> np.ndarray:
    """Draw strokes in pixels with loops, without windows."""
    reach = max(line_width, 1.0) / 2 + 0.5
    segments = [ends for points in strokes for ends in (pairwise(points) if len(points) > 1 else [points * 2])]
    ink = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            nearest = min([reach * reach, *(distance(column, row, *ends) for ends in segments)])
            level = min(max(reach - math.sqrt(nearest), 0.0), 1.0) * 255.0 + 0.5
            ink[row, column] = math.floor(level)
    return ink


def distance(column: int, row: int, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the squared distance of a pixel's centre from a segment."""
    step_x, step_y = end[0] - start[0], end[1] - start[1]
    length = math.sqrt(step_x * step_x + step_y * step_y)
    direction_x, direction_y = (step_x / length, step_y / length) if length > 0 else (1.0, 0.0)
    from_x, from_y = column + 0.5 - (start[0] + end[0]) / 2, row + 0.5 - (start[1] + end[1]) / 2
    beyond = max(abs(from_x * direction_x + from_y * direction_y) - length / 2, 0.0)
    across = from_y * direction_x - from_x * direction_y
    return beyond * beyond + across * across


def lay_out_plainly(strokes: list[Points]) -> tuple[list[Points], float]:
    """Return the strokes in pixels and the width of the line."""
    lows, highs = zip(
        *(limits([point[axis] for stroke in strokes for point in stroke]) for axis in (0, 1)), strict=True
    )
    size = max(highs[0] - lows[0], highs[1] - lows[1], 0.04)
    zoom = max(0.3 / size, 1.0)
    origin = [low / max(1.0 - (high - low), 1e-9) * (1.0 - zoom) * 112 for low, high in zip(lows, highs, strict=True)]
    scale = zoom * 112
    placed = [[(x * scale + origin[0], y * scale + origin[1]) for x, y in stroke] for stroke in strokes]
    return placed, min(0.12 * size, 0.06) * scale


def limits(values: list[float]) -> tuple[float, float]:
    return min(max(min(values), 0.0), 1.0), min(max(max(values), 0.0), 1.0)


def random_strokes(rng: np.random.Generator, scale: float, n_strokes: int, n_points: int) -> list[Points]:
    """Return strokes of random size and place, with dots, repeated points and upright lines."""
    centre, size = rng.uniform(-0.2, 1.2, 2), rng.uniform(0.01, 1)
    strokes = []
    for _ in range(rng.integers(1, n_strokes, endpoint=True)):
        points = centre + size * rng.uniform(-1, 1, (rng.integers(1, n_points, endpoint=True), 2))
        points[rng.random(points.shape) < 0.1] = 0.5
        strokes.append([(scale * x, scale * y) for x, y in np.repeat(points, rng.integers(1, 3, len(points)), axis=0)])
    return strokes


def arrays(strokes: list[Points]) -> list[np.ndarray]:
    return [np.array(stroke, np.float64) for stroke in strokes]


def test_drawings_equal_those_of_plain_loops() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        height, width = rng.integers(1, 24, 2).tolist()
        strokes = random_strokes(rng, max(height, width), 3, 6)
        line_width = rng.uniform(0.5, 12)
        drawn = rasterize(arrays(strokes), (height, width), line_width)
        assert np.array_equal(drawn, draw_plainly(strokes, height, width, line_width))


def test_the_sheet_equals_that_of_plain_loops() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        strokes = random_strokes(rng, 1, 3, 6)
        placed, line_width = lay_out_plainly(strokes)
        sheet = lay_out(arrays(strokes))
        assert [stroke.tolist() for stroke in sheet.strokes] == [[[x, y] for x, y in stroke] for stroke in placed]
        assert sheet.line_width == line_width
    strokes = [[(0.2, 0.2), (0.8, 0.25), (0.4, 0.9)]]
    placed, line_width = lay_out_plainly(strokes)
    expected = np.zeros((128, 128), np.uint8)
    expected[8:120, 8:120] = draw_plainly(placed, 112, 112, line_width)
    assert np.array_equal(lay_out(arrays(strokes)).draw(), expected)


def bar(left: float, right: float, y: float = 0.5) -> Sheet:
    return lay_out(arrays([[(left, y), (right, y)]]))


def extent(sheet: Sheet) -> tuple[float, float]:
    """Return the left and the right end of the path in the picture, relative to its side."""
    left, right = (sheet.strokes[0][:, 0] / SIDE_PX).tolist()
    return left, right


def test_what_the_sheet_cuts_off_stays_cut_off() -> None:
    sheet = bar(-0.4, 0.05)
    assert sheet.zoom > 1
    assert extent(sheet)[0] < 0
    inside = bar(0, 0.05)
    assert np.array_equal(sheet.draw(), inside.draw())
    assert not lay_out(arrays([[(1.2, 0.5), (1.5, 0.5)]])).draw().any()


def test_the_bound_of_the_pixels_holds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        sheet = lay_out(arrays(random_strokes(rng, 1, 3, 20)))
        assert sheet.n_pixels >= np.count_nonzero(sheet.draw())
