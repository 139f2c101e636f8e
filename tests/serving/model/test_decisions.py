import numpy as np
import pytest

from serving.model.decisions import STATES, is_refused, rank, states

THRESHOLDS = {"digit_score": 0.5, "confidence": 0.9}


@pytest.mark.parametrize(
    ("score", "confidence", "state"),
    [
        (0.0, 0.1, "blank"),
        (0.0, 1.0, "blank"),
        (1e-6, 1.0, "not_a_digit"),
        (0.49, 0.95, "not_a_digit"),
        (0.49, 0.1, "not_a_digit"),
        (0.5, 0.89, "unsure"),
        (1.0, 0.1, "unsure"),
        (0.5, 0.9, "digit"),
        (1.0, 1.0, "digit"),
    ],
)
def test_one_answer_and_a_batch_follow_the_same_rule(score: float, confidence: float, state: str) -> None:
    assert STATES[rank(score, confidence, 0.5, 0.9)] == state
    probabilities = np.full((2, 10), (1 - confidence) / 9)
    probabilities[:, 3] = confidence
    assert (
        states({"digit_score": np.full(2, score), "probabilities": probabilities}, THRESHOLDS).tolist() == [state] * 2
    )


def test_an_answer_without_a_digit_is_refused() -> None:
    assert is_refused(np.array(STATES)).tolist() == [False, False, True, True]
