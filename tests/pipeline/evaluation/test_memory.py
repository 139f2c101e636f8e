import numpy as np
import pytest

from pipeline.evaluation.memory import nearest, recall

RULE = {
    "similarity": 0.5, "unknown_similarity": 0.7, "weight": 20.0, "score_similarity": 0.6, "score_weight": 30.0,
}  # fmt: skip
SEVEN_LIKE_ONE = {"probabilities": np.array([[0.0, 0.8, 0.2]]), "digit_score": np.array([0.3])}


def test_a_similar_drawing_decides_and_raises_the_score():
    found = recall(SEVEN_LIKE_ONE, np.array([[0, 0, 0.9]]), RULE)
    assert found["probabilities"].argmax() == 2
    assert found["probabilities"].sum() == pytest.approx(1)
    assert found["digit_score"][0] > 0.99


def test_drawings_that_are_not_similar_change_nothing():
    found = recall(SEVEN_LIKE_ONE, np.array([[0.1, 0.2, 0.5]]), RULE)
    assert found["probabilities"][0] == pytest.approx(SEVEN_LIKE_ONE["probabilities"][0], abs=2e-4)
    assert found["digit_score"] == pytest.approx(SEVEN_LIKE_ONE["digit_score"])


def test_a_digit_that_is_not_remembered_needs_more_similarity():
    known, unknown = ([[0, one, 0.69]] for one in (0.1, 0))
    found = recall(SEVEN_LIKE_ONE, np.array(known), RULE), recall(SEVEN_LIKE_ONE, np.array(unknown), RULE)
    assert [answer["probabilities"].argmax() for answer in found] == [2, 1]


def test_a_blank_image_stays_blank():
    blank = {"probabilities": np.full((1, 3), 1 / 3), "digit_score": np.zeros(1)}
    similarity = nearest(np.zeros((1, 2)), np.eye(2), np.array([0, 2]), 3)
    assert recall(blank, similarity, RULE)["digit_score"] == 0


def test_the_nearest_drawing_of_each_class_counts():
    remembered = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    found = nearest(np.array([[0.8, 0.6]]), remembered, np.array([1, 1, 2]), 3)
    assert found[0] == pytest.approx([0, 0.96, 0.6])
