from dataclasses import replace

import numpy as np
import pytest

from pipeline.evaluation.metrics import DISPUTED, Answered, confusion_matrix, measure, references, without_disputed
from pipeline.evaluation.mistakes import MAX_MISTAKES, worst_mistakes
from pipeline.evaluation.statistics import bootstrap

THRESHOLDS = {"digit_score": 0.5, "confidence": 0.7}


@pytest.fixture
def answered():
    """100 answers "3": ten of the images are a 4, and ten others are not accepted as a digit."""
    probabilities = np.full((100, 10), 0.02)
    probabilities[:, 3] = 0.82
    labels = np.full(100, 3)
    labels[:10] = 4
    return Answered(labels, {"probabilities": probabilities, "digit_score": np.where(np.arange(100) < 90, 1.0, 0.1)})


def test_metrics_of_known_answers(answered):
    metrics = measure("test", answered, THRESHOLDS)
    assert metrics == {
        "test_accuracy": 0.9,
        "test_accuracy_low": pytest.approx(0.8256, abs=1e-4),
        "test_accuracy_high": pytest.approx(0.9448, abs=1e-4),
        "test_errors": 10,
        "test_loss": pytest.approx(-(0.9 * np.log(0.82) + 0.1 * np.log(0.02)), abs=1e-6),
        "test_ece": pytest.approx(0.08, abs=1e-6),
        "test_refused": 0.1,
        "test_unsure": 0,
        "test_selective_accuracy": pytest.approx(80 / 90, abs=1e-6),
    }
    unsure = measure("test", answered, THRESHOLDS | {"confidence": 0.9})
    assert (unsure["test_unsure"], unsure["test_selective_accuracy"]) == (0.9, 1)


def test_references_count_what_is_read_as_a_digit(answered):
    # 90 of 100 are read; then half of the others are blank; then nothing is read.
    assert references(answered, THRESHOLDS) == {"estimated_accuracy": 0.82, "share_called_digit": 0.9}
    answered.answers["digit_score"][95:] = 0
    answered.answers["probabilities"][:45, 3] = 0.62  # unsure
    expected = {"estimated_accuracy": 0.72, "share_called_digit": pytest.approx(90 / 95, abs=1e-6)}
    assert references(answered, THRESHOLDS) == expected
    answered.answers["digit_score"][:] = 0
    assert references(answered, THRESHOLDS) == {"estimated_accuracy": 0, "share_called_digit": 0}


def test_known_writers_are_the_clusters_of_the_interval(answered):
    writers = np.arange(100) // 10  # one of ten makes all the mistakes
    metrics = measure("test", replace(answered, writers=writers), THRESHOLDS)
    assert (metrics["test_accuracy_low"], metrics["test_accuracy_high"]) == bootstrap(np.arange(100) >= 10, writers)


def test_a_confusion_matrix_counts_by_actual_and_predicted_digit():
    test = Answered(np.array([1, 4, 4, 4]), {"probabilities": np.eye(10)[[1, 9, 9, 4]]})
    matrix = confusion_matrix(test)
    assert (matrix.sum(), matrix[1, 1], matrix[4, 9], matrix[4, 4]) == (4, 1, 2, 1)


def test_images_with_disputed_labels_are_left_out():
    labels = np.zeros(10_000, np.int32)
    labels[[0, 5, *DISPUTED]] = 1  # the answer is always 0
    found = without_disputed(Answered(labels, {"probabilities": np.tile(np.eye(10)[0], (10_000, 1))}))
    assert found["test_undisputed_errors"] == 2
    assert found["test_undisputed_accuracy"] == pytest.approx(1 - 2 / 9985, abs=1e-6)


def threes(confidences, labels):
    confidences = np.array(confidences)[:, None]
    probabilities = np.where(np.arange(10) == 3, confidences, (1 - confidences) / 9)
    return Answered(np.array(labels), {"probabilities": probabilities, "digit_score": np.full(len(labels), 0.6)})


def test_mistakes_of_all_tests_are_sorted_by_confidence():
    tests = {"one": threes([0.99, 0.8, 0.6], [3, 5, 8]), "other": threes([0.7], [9])}
    assert worst_mistakes(tests, {"digit_score": 0.5, "confidence": 0.75}) == [
        ("one", 1, 5, 3, 0.8, "digit"),
        ("other", 0, 9, 3, 0.7, "unsure"),
        ("one", 2, 8, 3, 0.6, "unsure"),
    ]
    many = {"one": threes(np.linspace(0.2, 0.9, MAX_MISTAKES + 9), [4] * (MAX_MISTAKES + 9))}
    worst = worst_mistakes(many, {"digit_score": 0, "confidence": 0})
    assert (len(worst), worst[0].confidence) == (MAX_MISTAKES, 0.9)
