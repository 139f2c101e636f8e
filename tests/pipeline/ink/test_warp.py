"""Strokes: ink has the right area and shape, warps are repeatable, and whatever is drawn stays on its canvas."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ink.warp import StrokeRender, StrokeWarp, render, warp
from serving.drawing.rasterize import draw, rasterize
from serving.drawing.strokes import place

NO_WARP = StrokeWarp(**{field.name: 0.0 for field in fields(StrokeWarp)})
PLAIN = StrokeRender(blurred=0, uneven=0)


def stroke(*points):
    return np.array(points, np.float32)


SEVEN = [stroke((0, 0), (30, 1), (60, 0), (45, 40), (25, 100)), stroke((20, 50), (55, 48)), stroke((10, 90))]


def area(ink):
    return ink.sum(dtype=np.int64) / 255


@pytest.mark.parametrize(("line_width", "error"), [(1.5, 0.04), (2, 0.04), (4, 0.02), (5.3, 0.02), (20.2, 0.01)])
@pytest.mark.parametrize("angle", [0, 0.3, math.pi / 4, 1.2, math.pi / 2])
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


def test_caps_are_round():
    ink = rasterize([stroke((20, 32), (44, 32))], (64, 64), 16)
    cap = rasterize([stroke((44, 32))], (64, 64), 16)
    assert np.array_equal(ink[:, 45:], cap[:, 45:])


def test_ink_is_symmetric():
    ink = rasterize([stroke((10, 10), (54, 54)), stroke((54, 10), (10, 54)), stroke((32, 4), (32, 60))], (64, 64), 6.5)
    assert np.abs(ink.astype(int) - ink[::-1]).max() <= 1
    assert np.abs(ink.astype(int) - ink[:, ::-1]).max() <= 1


def test_direction_and_subdivision_do_not_matter():
    ink = rasterize([stroke((10, 12), (50, 40))], (64, 64), 7)
    assert np.abs(ink.astype(int) - rasterize([stroke((50, 40), (10, 12))], (64, 64), 7)).max() <= 1
    assert np.abs(ink.astype(int) - rasterize([stroke((10, 12), (30, 26), (30, 26), (50, 40))], (64, 64), 7)).max() <= 1


def test_what_lies_outside_is_cut_off():
    inside = rasterize([stroke((32, 32), (200, 32))], (64, 64), 6)
    assert np.array_equal(inside, rasterize([stroke((32, 32), (5000, 32)), stroke((-90, -90))], (64, 64), 6))
    assert not rasterize([stroke((-50, -50), (-20, -90)), stroke((300, 20))], (64, 48), 6).any()


def test_nothing_varies_without_ranges():
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(1), NO_WARP), strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(before, after)


@pytest.mark.parametrize("name", [field.name for field in fields(StrokeWarp)])
def test_every_range_does_something(name):
    warped = warp(SEVEN, np.random.default_rng(1), replace(NO_WARP, **{name: getattr(StrokeWarp(), name)}))
    assert len(warped) == len(SEVEN)
    assert any(not np.array_equal(*pair) for pair in zip(SEVEN, warped, strict=True))


def test_ends_stay_when_points_are_left_out_or_smoothed():
    ranges = replace(NO_WARP, smoothing=3.0, resampling=0.9)
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(2), ranges), strict=True):
        assert np.array_equal(before[[0, -1]], after[[0, -1]])


def test_the_same_seed_gives_the_same_ink():
    def ink(seed):
        rng = np.random.default_rng(seed)
        return [render(warp(SEVEN, rng, StrokeWarp()), rng, StrokeRender()) for _ in range(20)]

    assert all(np.array_equal(*pair) for pair in zip(ink(5), ink(5), strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(ink(5), ink(6), strict=True))


def test_the_longest_side_is_the_fraction_asked_for():
    placed = np.concatenate(place(SEVEN, (200, 280), 0.6, (0.0, 1.0), 10.0))
    assert np.ptp(placed, axis=0) == pytest.approx([72, 120], rel=1e-5)
    assert placed.min(axis=0) == pytest.approx([5, 75], rel=1e-5)


drawings = st.lists(
    st.lists(st.tuples(st.floats(-500, 500, width=32), st.floats(-500, 500, width=32)), min_size=1, max_size=12).map(
        lambda points: stroke(*points)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    strokes=drawings,
    shape=st.tuples(st.integers(16, 120), st.integers(16, 120)),
    height_fraction=st.floats(0.05, 1.0),
    line_fraction=st.floats(0.02, 0.3),
    position=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_whatever_is_drawn_is_seen_and_whole(strokes, shape, height_fraction, line_fraction, position):
    ink = draw(strokes, shape, height_fraction, line_fraction, position)
    assert ink.shape == shape
    assert ink.max() > 60
    line_width = max(line_fraction * height_fraction * min(shape), 1.0)
    points = np.concatenate(place(strokes, shape, height_fraction, position, line_width))
    assert points.min() >= line_width / 2 - 1e-3
    assert (points.max(axis=0) <= np.array(shape[::-1]) - line_width / 2 + 1e-3).all()


@settings(max_examples=40, deadline=None)
@given(strokes=drawings, seed=st.integers(0, 2**32 - 1))
def test_random_ink_is_never_empty(strokes, seed):
    rng = np.random.default_rng(seed)
    ink = render(warp(strokes, rng, StrokeWarp()), rng, StrokeRender())
    assert ink.dtype == np.uint8
    assert all(64 <= side <= 160 for side in ink.shape)
    assert ink.max() > 60


def test_a_batch_may_have_one_size():
    rng = np.random.default_rng(0)
    assert {render(SEVEN, rng, PLAIN, (96, 80)).shape for _ in range(5)} == {(96, 80)}
