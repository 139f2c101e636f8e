import numpy as np
import pytest
from scipy.special import softmax

from pipeline.calibration import Calibration, calibrate, expected_calibration_error
from pipeline.config import DecisionConfig
from pipeline.errors import DataError

DECISION = DecisionConfig(accuracy=0.99, refused=0.01)


@pytest.fixture(scope="module")
def sampled():
    """Logits, and labels drawn from just these probabilities: calibrated by construction."""
    random = np.random.default_rng(0)
    logits = random.normal(scale=3, size=(20_000, 10)).astype(np.float32)
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    labels = (random.random((len(logits), 1)) > cumulative).sum(axis=1).clip(0, 9)
    return logits, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_temperature_is_found(sampled, factor):
    logits, labels = sampled
    assert calibrate(logits * factor, labels, DECISION).temperature == pytest.approx(factor, rel=0.05)


def test_the_thresholds_keep_what_they_promise(sampled):
    logits, labels = sampled
    thresholds = calibrate(logits, labels, DECISION).thresholds
    probabilities = softmax(logits, axis=1)
    score, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    assert is_right[score >= thresholds["digit"]].mean() >= 0.989
    assert (score < thresholds["unsure"]).mean() == pytest.approx(0.01, abs=0.002)
    assert thresholds["unsure"] <= thresholds["digit"]


def test_when_no_threshold_is_good_enough_nothing_is_called_certain():
    logits = np.zeros((100, 10), np.float32)
    logits[:, 0] = 1
    assert calibrate(logits, np.ones(100, int), DECISION).thresholds["digit"] == 1


def test_calibration_error_is_zero_when_calibrated_and_large_when_overconfident(sampled):
    logits, labels = sampled
    assert expected_calibration_error(softmax(logits, axis=1), labels) < 0.01
    assert expected_calibration_error(softmax(logits * 5, axis=1), labels) > 0.1
    assert expected_calibration_error(np.eye(10)[[1, 1]], np.array([1, 2])) == pytest.approx(0.5)


def test_it_comes_back_as_saved_and_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "calibration.json"
    calibration = Calibration(1.5, {"digit": 0.9, "unsure": 0.5})
    calibration.save(path)
    assert Calibration.load(path) == calibration
    path.write_text("{")
    with pytest.raises(DataError, match=r"calibration\.json"):
        Calibration.load(path)
