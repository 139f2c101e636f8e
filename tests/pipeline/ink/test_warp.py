from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.ink.warp import WARP, StrokeWarp, render, warp

NO_WARP = StrokeWarp(**{field.name: 0.0 for field in fields(StrokeWarp)})
SEVEN = [
    np.array(points, np.float32)
    for points in ([(0, 0), (30, 1), (60, 0), (45, 40), (25, 100)], [(20, 50), (55, 48)], [(10, 90)])
]


def test_ranges_of_zero_change_nothing():
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(1), NO_WARP), strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(before, after)


@pytest.mark.parametrize("name", [field.name for field in fields(StrokeWarp)])
def test_every_range_has_an_effect(name):
    warped = warp(SEVEN, np.random.default_rng(1), replace(NO_WARP, **{name: getattr(WARP, name)}))
    assert any(not np.array_equal(*pair) for pair in zip(SEVEN, warped, strict=True))


def test_ends_stay_when_points_are_dropped_or_smoothed():
    ranges = replace(NO_WARP, smoothing=3.0, resampling=0.9)
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(2), ranges), strict=True):
        assert np.array_equal(before[[0, -1]], after[[0, -1]])


@pytest.mark.parametrize("strokes", [SEVEN, SEVEN[-1:]])
def test_random_ink_is_repeatable_and_never_empty(strokes):
    def ink(seed):
        rng = np.random.default_rng(seed)
        return np.stack([render(warp(strokes, rng), rng, (96, 80)) for _ in range(20)])

    first = ink(5)
    assert (first.dtype, first.shape) == (np.uint8, (20, 96, 80))
    assert first.max(axis=(1, 2)).min() > 60
    assert np.array_equal(first, ink(5))
    assert not np.array_equal(first, ink(6))
