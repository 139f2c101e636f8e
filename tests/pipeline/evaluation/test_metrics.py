from dataclasses import replace

import numpy as np
import pytest

from pipeline.evaluation.metrics import Answered, confusion_matrix, confusions, measure
from pipeline.evaluation.statistics import bootstrap

THRESHOLDS = {"digit_score": 0.5, "confidence": 0.7}


@pytest.fixture
def answered():
    """100 answers of "3": ten of them are a 4, ten others are not taken for a digit."""
    probabilities = np.full((100, 10), 0.02)
    probabilities[:, 3] = 0.82
    labels = np.full(100, 3)
    labels[:10] = 4
    return Answered(labels, {"probabilities": probabilities, "digit_score": np.where(np.arange(100) < 90, 1.0, 0.1)})


def test_figures_of_known_answers(answered):
    metrics = measure("test", answered, THRESHOLDS)
    assert metrics["test_accuracy"] == 0.9
    assert metrics["test_errors"] == 10
    assert (metrics["test_accuracy_low"], metrics["test_accuracy_high"]) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert metrics["test_loss"] == pytest.approx(-(0.9 * np.log(0.82) + 0.1 * np.log(0.02)), abs=1e-6)
    assert metrics["test_ece"] == pytest.approx(0.08, abs=1e-6)
    assert (metrics["test_refused"], metrics["test_unsure"]) == (0.1, 0)
    assert metrics["test_selective_accuracy"] == pytest.approx(80 / 90, abs=1e-6)


def test_the_interval_is_that_of_the_writers_where_they_are_known(answered):
    writers = np.arange(100) // 10  # one of ten has all mistakes
    metrics = measure("test", replace(answered, writers=writers), THRESHOLDS)
    assert (metrics["test_accuracy_low"], metrics["test_accuracy_high"]) == bootstrap(np.arange(100) >= 10, writers)


def test_where_nothing_is_called_a_digit_nothing_is_called_wrongly(answered):
    metrics = measure("test", answered, THRESHOLDS | {"confidence": 0.9})
    assert (metrics["test_unsure"], metrics["test_selective_accuracy"]) == (0.9, 1)


def test_confusions_come_with_the_most_frequent_first():
    predicted = np.array([1, 1, 2, 7, 9, 9, 4])
    test = Answered(np.array([1, 7, 2, 2, 4, 4, 4]), {"probabilities": np.eye(10)[predicted]})
    matrix = confusion_matrix(test)
    assert (matrix.sum(), np.trace(matrix)) == (7, 3)
    assert list(confusions(matrix).items()) == [("4_as_9", 2), ("2_as_7", 1), ("7_as_1", 1)]
