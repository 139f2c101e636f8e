import numpy as np
import pytest

from pipeline.config.schema import InkConfig
from pipeline.ink.warp import INK, render, warp

WARPS = ("rotation", "slant", "aspect", "bend", "rounding", "tremor", "spacing")
NO_WARP = INK.model_copy(update=dict.fromkeys(WARPS, 0.0))
SEVEN = [
    np.array(points, np.float32)
    for points in ([(0, 0), (30, 1), (60, 0), (45, 40), (25, 100)], [(20, 50), (55, 48)], [(10, 90)])
]


def test_ranges_of_zero_change_nothing():
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(1), NO_WARP), strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(before, after)


@pytest.mark.parametrize("name", InkConfig.model_fields)
def test_every_range_has_an_effect(name):
    def ink(ranges):
        rng = np.random.default_rng(1)
        return np.stack([render(warp(SEVEN, rng, ranges), rng, (96, 80), ranges) for _ in range(8)])

    one = {"blurred": 1.0, "uneven": 1.0} if name in ("blurred", "blur", "uneven", "unevenness") else {}
    ranges = INK.model_copy(update=one)
    assert not np.array_equal(ink(ranges), ink(ranges.model_copy(update={name: 0.3 * getattr(ranges, name)})))


def test_ends_stay_when_strokes_are_resampled_and_rounded():
    ranges = NO_WARP.model_copy(update={"rounding": 0.1, "spacing": 0.1})
    for before, after in zip(SEVEN, warp(SEVEN, np.random.default_rng(2), ranges), strict=True):
        assert np.allclose(before[[0, -1]], after[[0, -1]], atol=1e-3)


def test_strokes_that_meet_still_meet():
    ranges = NO_WARP.model_copy(update={"rotation": 0.3, "bend": 0.1, "aspect": 0.4})
    for seed in range(10):
        first, second = warp([SEVEN[0], SEVEN[0][::-1]], np.random.default_rng(seed), ranges)
        assert np.array_equal(first, second[::-1])


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
