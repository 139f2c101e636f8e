"""Decide the state of an answer from its score and confidence. The service and the pipeline both use this rule."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

State = Literal["digit", "unsure", "not_a_digit", "blank"]
STATES: tuple[State, ...] = get_args(State)
READ = ("digit", "unsure")  # the states of an image that is read as a digit


def rank(score: Any, confidence: Any, min_score: float, min_confidence: float) -> Any:
    """Return the position in `STATES`, for one answer or for arrays of answers.

    Args:
        score: `digit_score`, 0..1; 0 is blank.
        confidence: the largest probability, 0..1.
        min_score: ink with a lower score is not a digit; above 0.
        min_confidence: a digit with a lower confidence is unsure.
    """
    # Only comparisons and sums, so that a single answer needs no numpy arrays, which are slow.
    return 3 - (score > 0) - (score >= min_score) * (1 + (confidence >= min_confidence))


def states(answers: Mapping[str, npt.NDArray[Any]], thresholds: Mapping[str, float]) -> npt.NDArray[np.str_]:
    """Return the state of each answer, str ``[n]``.

    Args:
        answers: ``digit_score`` float ``[n]`` and ``probabilities`` float ``[n, classes]``.
        thresholds: ``digit_score`` and ``confidence``, as in the model file.
    """
    confidence = answers["probabilities"].max(axis=1)
    ranks = rank(answers["digit_score"], confidence, thresholds["digit_score"], thresholds["confidence"])
    found: npt.NDArray[np.str_] = np.array(STATES)[ranks]
    return found


def is_refused(found: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Return which states are refusals: str ``[n]`` -> bool ``[n]``."""
    return ~np.isin(found, READ)
