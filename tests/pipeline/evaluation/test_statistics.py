import numpy as np
import pytest
from scipy.special import softmax

from pipeline.evaluation.statistics import (
    N_BINS,
    bootstrap,
    compare,
    expected_calibration_error,
    mcnemar,
    proportion,
    reliability,
    wilson,
)


@pytest.mark.parametrize(
    ("n_first", "n_second", "greater", "two_sided"),
    [(0, 0, 1, 1), (5, 0, 1 / 32, 1 / 16), (0, 5, 1, 1 / 16), (9, 1, 11 / 1024, 11 / 512)],
)
def test_mcnemar(n_first, n_second, greater, two_sided):
    assert mcnemar(n_first, n_second, "greater") == pytest.approx(greater)
    assert mcnemar(n_first, n_second) == pytest.approx(two_sided)


def test_compare_counts_by_image():
    first, baseline = np.array([True] * 6 + [False] * 4), np.array([True] * 4 + [False] * 5 + [True])
    assert compare(first, baseline) == (2, 1, 10.0, 1.0)


def test_wilson_interval():
    # Newcombe, 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    found = proportion("refused", np.arange(263) < 81)
    assert found == {"refused": 0.307985, "refused_low": wilson(81, 263)[0], "refused_high": wilson(81, 263)[1]}


def test_bootstrap_is_wider_for_correlated_clusters():
    writers = np.arange(1400) % 14
    independent = np.random.default_rng(1).random(1400) < 0.9
    assert bootstrap(independent, writers) == pytest.approx(wilson(int(independent.sum()), 1400), abs=0.01)
    low, high = bootstrap(np.isin(writers, (3, 8), invert=True), writers)  # two of fourteen writers are never right
    assert low < 0.72
    assert high == 1


def test_bootstrap_weighs_writers_by_their_drawings():
    hits, writers = np.array([True] * 90 + [False] * 10), np.array([5] * 90 + [7] * 10)
    # Half of all samples of two writers contain one of them twice.
    assert proportion("accuracy", hits, writers) == {"accuracy": 0.9, "accuracy_low": 0, "accuracy_high": 1}


def test_reliability_of_calibrated_answers(calibrated):
    logits, labels = calibrated
    bins = reliability(softmax(logits, axis=1), labels)
    assert sum(row.n for row in bins) == len(labels)
    assert len({row.low for row in bins}) == len(bins) <= N_BINS
    for row in bins:
        assert row.low <= row.confidence <= row.high
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
    assert np.mean([row.accuracy_low <= row.confidence <= row.accuracy_high for row in bins]) > 0.8
    assert expected_calibration_error(bins) < 0.01
    assert expected_calibration_error(reliability(softmax(logits * 5, axis=1), labels)) > 0.1


def test_the_last_bin_includes_certainty():
    (row,) = bins = reliability(np.eye(10)[[1, 1]], np.array([1, 2]))
    assert (row.high, row.n, row.confidence, row.accuracy) == (1, 2, 1, 0.5)
    assert expected_calibration_error(bins) == 0.5
