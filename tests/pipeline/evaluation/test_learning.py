import numpy as np
import pytest

from pipeline.base.classes import N_CLASSES
from pipeline.evaluation.learning import TAUGHT, compare_answers, correct, is_first, measure_memory, teach
from pipeline.evaluation.metrics import Answered

RULE = {
    "similarity": 0.4, "unknown_similarity": 0.7, "weight": 30.0, "score_similarity": 0.6, "score_weight": 30.0,
}  # fmt: skip
THRESHOLDS = {"digit_score": 0.5, "confidence": 0.6}


@pytest.fixture
def writer():
    """Ten rounds of all digits. This writer's 7 is read as a 1, and this writer's 4 is refused."""
    labels = np.tile(np.arange(N_CLASSES), 10)
    read = np.where(labels == 7, 1, labels)
    probabilities = np.full((len(labels), N_CLASSES), 0.02)
    probabilities[np.arange(len(labels)), read] = 0.82
    score = np.where(labels == 4, 0.1, 0.99)
    return Answered(labels, {"probabilities": probabilities, "digit_score": score, "features": np.eye(16)[labels]})


@pytest.fixture
def others():
    """A non-digit that is like no digit, and one that is a little like a 7."""
    features = np.zeros((2, 16))
    features[[0, 1, 1], [12, 7, 13]] = 1, 0.3, 0.95
    return {"probabilities": np.full((2, 10), 0.1), "digit_score": np.array([0.1, 0.1]), "features": features}


def test_one_correction_teaches_each_of_the_two(writer, others):
    taught = correct(writer, RULE, THRESHOLDS)
    assert taught.remembered.labels.tolist() == [4, 7]
    assert np.flatnonzero(~taught.after.is_right).tolist() == [7]
    figures = compare_answers([taught], others, RULE, THRESHOLDS)
    assert (figures["errors_before"], figures["errors"], figures["newly_wrong"]) == (10, 1, 0)
    assert (figures["refused_before"], figures["refused"]) == (10, 1)
    assert figures["others_refused"] == figures["others_refused_before"] == 1
    assert figures["remembered"] == 2


def test_what_is_taught_is_not_tested(writer):
    assert np.flatnonzero(is_first(np.array([3, 3, 5, 3, 5]), 2)).tolist() == [0, 1, 2, 4]
    taught = teach(writer, writer, 2, RULE)
    assert (len(taught.before.labels), len(taught.remembered.labels)) == (80, 20)
    assert taught.after.is_right.all()


def test_the_control_has_the_memory_of_another_writer(writer, others):
    # The second writer's 1 looks like the first writer's 0.
    features = np.roll(writer.answers["features"], -1, axis=1)
    second = Answered(writer.labels, {**writer.answers, "features": features})
    found = measure_memory([writer, second], others, RULE, THRESHOLDS)
    assert list(found) == ["corrections", *(f"taught_{n}" for n in TAUGHT), "taught_2_by_another"]
    assert found["taught_2"]["accuracy"] == 1
    assert found["taught_2_by_another"]["newly_wrong"] > 100


def test_without_writers_or_features_there_is_nothing_to_measure(writer, others):
    assert measure_memory([], others, RULE, THRESHOLDS) == {}
    plain = Answered(writer.labels, {name: writer.answers[name] for name in ("probabilities", "digit_score")})
    assert measure_memory([plain], others, RULE, THRESHOLDS) == {}


def test_a_way_that_leaves_nothing_to_test_is_absent(writer, others):
    once = Answered(writer.labels[:10], {name: values[:10] for name, values in writer.answers.items()})
    assert list(measure_memory([once, once], others, RULE, THRESHOLDS)) == ["corrections"]
