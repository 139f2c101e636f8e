import numpy as np
import pytest

from pipeline.evaluation.statistics import bootstrap, proportion, wilson


def test_wilson_s_interval():
    # Newcombe, 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_a_proportion_lies_in_its_interval():
    found = proportion("refused", np.arange(100) < 90)
    assert found["refused"] == 0.9
    assert 0.8 < found["refused_low"] < 0.9 < found["refused_high"] < 1


def test_clusters_widen_the_interval_when_they_agree_and_not_when_they_do_not():
    writers = np.arange(1400) % 14
    alone = np.random.default_rng(1).random(1400) < 0.9
    low, high = bootstrap(alone, writers)
    assert (low, high) == pytest.approx(wilson(int(alone.sum()), 1400), abs=0.01)
    together = np.isin(writers, (3, 8), invert=True)  # two of fourteen writers are never right
    low, high = bootstrap(together, writers)
    assert low < 0.72
    assert high == 1


def test_the_interval_of_writers_of_many_and_of_few_drawings():
    hits, writers = np.array([True] * 90 + [False] * 10), np.array([5] * 90 + [7] * 10)
    assert bootstrap(hits, writers) == (0, 1)  # half of all samples of two writers hold one of them twice
    assert proportion("accuracy", hits, writers) == {"accuracy": 0.9, "accuracy_low": 0, "accuracy_high": 1}
