"""What an answer amounts to: the one rule from score and probabilities to a state."""

from collections.abc import Mapping

import numpy as np

STATES = ("digit", "unsure", "not_a_digit", "blank")
REFUSED = ("not_a_digit", "blank")


def states(answers: Mapping[str, np.ndarray], thresholds: Mapping[str, float]) -> np.ndarray:
    """State of each answer.

    Args:
        answers: ``digit_score`` float ``[n]`` and ``probabilities`` float ``[n, classes]``, as `Reader.read` names them.
        thresholds: ``digit_score``, below which ink is no digit; ``confidence``, the largest probability, below which
            a digit is unsure.

    Returns:
        str ``[n]``, each one of `STATES`.
    """
    score, confidence = answers["digit_score"], answers["probabilities"].max(axis=1)
    return np.select(
        [score == 0, score < thresholds["digit_score"], confidence < thresholds["confidence"]],
        ["blank", "not_a_digit", "unsure"],
        "digit",
    )


def is_refused(found: np.ndarray) -> np.ndarray:
    """Which states read no digit: str ``[n]`` -> bool ``[n]``."""
    return np.isin(found, REFUSED)
