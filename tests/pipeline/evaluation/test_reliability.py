import numpy as np
import pytest
from scipy.special import softmax

from pipeline.evaluation.statistics import N_BINS, expected_calibration_error, reliability


def test_every_answer_is_in_one_bin(calibrated):
    logits, labels = calibrated
    probabilities = softmax(logits, axis=1)
    bins = reliability(probabilities, labels)
    assert sum(row.n for row in bins) == len(labels)
    assert len({row.low for row in bins}) == len(bins) <= N_BINS
    for row in bins:
        assert row.low <= row.confidence <= row.high
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high


def test_the_intervals_hold_the_confidence_of_calibrated_answers(calibrated):
    logits, labels = calibrated
    bins = reliability(softmax(logits, axis=1), labels)
    assert np.mean([row.accuracy_low <= row.confidence <= row.accuracy_high for row in bins]) > 0.8


def test_certainty_is_in_the_last_bin():
    (row,) = reliability(np.eye(10)[[1, 1]], np.array([1, 2]))
    assert (row.high, row.n, row.confidence, row.accuracy) == (1, 2, 1, 0.5)


def test_calibration_error_is_zero_when_calibrated_and_large_when_overconfident(calibrated):
    logits, labels = calibrated
    assert expected_calibration_error(reliability(softmax(logits, axis=1), labels)) < 0.01
    assert expected_calibration_error(reliability(softmax(logits * 5, axis=1), labels)) > 0.1
    assert expected_calibration_error(reliability(np.eye(10)[[1, 1]], np.array([1, 2]))) == pytest.approx(0.5)
