import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.drawing.rasterize import draw, rasterize
from serving.drawing.strokes import place


def stroke(*points):
    return np.array(points, np.float32)


def area(ink):
    return ink.sum(dtype=np.int64) / 255


@pytest.mark.parametrize(("line_width", "error"), [(1.5, 0.04), (4, 0.02), (20.2, 0.01)])
@pytest.mark.parametrize("angle", [0, 0.3, math.pi / 4, math.pi / 2])
def test_a_line_has_the_area_of_a_line_with_round_caps(line_width, error, angle):
    half = 40 * np.array([math.cos(angle), math.sin(angle)])
    ink = rasterize([stroke(63.7 - half, 63.7 + half)], (128, 128), line_width)
    assert area(ink) == pytest.approx(80 * line_width + math.pi * line_width**2 / 4, rel=error)


COORDINATES = st.floats(-500, 500, width=32)
STROKES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=12).map(lambda points: stroke(*points))


@settings(max_examples=60, deadline=None)
@given(
    strokes=st.lists(STROKES, min_size=1, max_size=4),
    shape=st.tuples(st.integers(16, 120), st.integers(16, 120)),
    height_fraction=st.floats(0.05, 1.0),
    line_fraction=st.floats(0.02, 0.3),
    position=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_every_drawing_is_visible_and_complete(strokes, shape, height_fraction, line_fraction, position):
    ink = draw(strokes, shape, height_fraction, line_fraction, position)
    assert ink.shape == shape
    assert ink.max() > 60
    line_width = max(line_fraction * height_fraction * min(shape), 1.0)
    points = np.concatenate(place(strokes, shape, height_fraction, position, line_width))
    assert points.min() >= line_width / 2 - 1e-3
    assert (points.max(axis=0) <= np.array(shape[::-1]) - line_width / 2 + 1e-3).all()
