import numpy as np
import pytest

from pipeline.reader.decisions import STATES, is_refused, states

THRESHOLDS = {"digit_score": 0.5, "confidence": 0.9}


@pytest.mark.parametrize(
    ("score", "confidence", "state"),
    [
        (0.0, 0.1, "blank"),
        (0.0, 1.0, "blank"),
        (1e-6, 1.0, "not_a_digit"),
        (0.49, 0.95, "not_a_digit"),
        (0.5, 0.89, "unsure"),
        (0.5, 0.9, "digit"),
    ],
)
def test_the_rule(score, confidence, state):
    probabilities = np.full((1, 10), (1 - confidence) / 9)
    probabilities[0, 3] = confidence
    assert states({"digit_score": np.array([score]), "probabilities": probabilities}, THRESHOLDS) == [state]


def test_without_a_digit_an_answer_is_refused():
    assert is_refused(np.array(STATES)).tolist() == [False, False, True, True]
