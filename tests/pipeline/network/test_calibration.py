import numpy as np
import pytest
from scipy.special import expit, softmax

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import DataError
from pipeline.config.schema import DecisionConfig
from pipeline.dataset.splits import NO_DIGIT
from pipeline.network.calibration import Calibration, calibrate

DECISION = DecisionConfig(accuracy=0.99, refused=0.01)


@pytest.fixture(scope="module")
def sampled(calibrated):
    """The calibrated logits with a digit logit, a quarter of them non-digits."""
    logits, labels = calibrated[0], calibrated[1].copy()
    random = np.random.default_rng(1)
    labels[:5000] = NO_DIGIT
    scores = random.normal(loc=np.where(labels == NO_DIGIT, -3, 3)[:, None], size=(len(labels), 1))
    return np.concatenate([logits, scores.astype(np.float32)], axis=1), labels


PARTS = {"nondigits": 5000, "mnist": 12_000, "nothing": 0, "pendigits": 3000}


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_a_factor_on_the_logits(sampled, factor):
    logits, labels = sampled
    assert calibrate(logits * factor, labels, PARTS, DECISION).temperature == pytest.approx(factor, rel=0.05)


def test_the_thresholds_reach_their_targets_for_each_kind(sampled):
    logits, labels = sampled
    logits = logits.copy()
    logits[-3000:, N_CLASSES] -= 1  # a kind that scores lower must not be refused more often
    calibration = calibrate(logits, labels, PARTS, DECISION)
    thresholds = calibration.thresholds
    probabilities, score = softmax(logits[:, :N_CLASSES] / calibration.temperature, axis=1), expit(logits[:, N_CLASSES])
    is_read = score >= thresholds["digit_score"]
    is_certain = is_read & (probabilities.max(axis=1) >= thresholds["confidence"])
    for kind in (slice(5000, 17_000), slice(17_000, None)):
        assert (probabilities.argmax(axis=1) == labels)[kind][is_certain[kind]].mean() >= 0.99
        assert 1 - is_read[kind].mean() <= 0.01
    assert 1 - is_read[17_000:].mean() > 0.008  # and the threshold is not lower than necessary


def test_if_no_threshold_is_sufficient_every_digit_is_unsure():
    logits = np.zeros((100, 11), np.float32)
    logits[:, 0] = 1
    thresholds = calibrate(logits, np.ones(100, int), {"mnist": 100}, DECISION).thresholds
    assert thresholds["confidence"] > softmax(logits[:, :N_CLASSES], axis=1).max()


def test_the_score_threshold_is_strictly_between_0_and_1():
    for score in (-200.0, 200.0):
        logits = np.full((100, 11), score, np.float32)
        assert 0 < calibrate(logits, np.zeros(100, int), {"mnist": 100}, DECISION).thresholds["digit_score"] < 1


def test_a_calibration_round_trips_and_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "calibration.json"
    calibration = Calibration(1.5, {"digit_score": 0.9, "confidence": 0.5})
    calibration.save(path)
    assert Calibration.load(path) == calibration
    path.write_text("{")
    with pytest.raises(DataError, match=r"calibration\.json"):
        Calibration.load(path)
