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


def test_a_bent_line_is_inked_once_and_its_joint_is_round():
    ink = rasterize([stroke((20, 20), (100, 20), (100, 100))], (128, 128), 10)
    legs, caps, joint = 2 * 80 * 10 - 5 * 5, math.pi * 5**2, math.pi * 5**2 / 4
    assert area(ink) == pytest.approx(legs + caps + joint, rel=0.01)
    assert ink.max() == 255


@pytest.mark.parametrize("line_width", [6, 9, 30])
def test_a_dot_is_a_disc(line_width):
    ink = rasterize([stroke((32, 32))], (64, 64), line_width)
    y, x = np.mgrid[:64, :64] + 0.5
    distance = np.hypot(x - 32, y - 32)
    assert area(ink) == pytest.approx(math.pi * line_width**2 / 4, rel=0.02)
    assert (ink[distance < line_width / 2 - 0.5] == 255).all()
    assert (ink[distance > line_width / 2 + 0.5] == 0).all()


def test_direction_subdivision_and_reflection_do_not_matter():
    ink = rasterize([stroke((10, 12), (50, 40))], (64, 64), 7).astype(int)
    mirrored = rasterize([stroke((54, 12), (14, 40))], (64, 64), 7)[:, ::-1]
    for points in ([(50, 40), (10, 12)], [(10, 12), (30, 26), (30, 26), (50, 40)]):
        assert np.abs(ink - rasterize([stroke(*points)], (64, 64), 7)).max() <= 1
    assert np.abs(ink - mirrored).max() <= 1


def test_ink_outside_the_canvas_is_cut_off():
    inside = rasterize([stroke((32, 32), (200, 32))], (64, 64), 6)
    assert np.array_equal(inside, rasterize([stroke((32, 32), (5000, 32)), stroke((-90, -90))], (64, 64), 6))
    assert not rasterize([stroke((-50, -50), (-20, -90)), stroke((300, 20))], (64, 48), 6).any()


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
