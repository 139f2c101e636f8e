"""Answers that take remembered drawings of the same writer into account. web/js/memory/rule.js computes the same.

A writer's memory is a list of drawings with their digits, each a unit vector: the model's `features`. An answer whose
vector is similar to a remembered one moves towards its digit.
"""

from collections.abc import Mapping

import numpy as np

MAX_REMEMBERED = 200
SMALLEST = 2e-4  # probability; limits the model's confidence, so that the same drawing again is read as corrected

Answers = Mapping[str, np.ndarray]


def nearest(features: np.ndarray, remembered: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the similarity to the nearest remembered drawing of each class, 0 if none is remembered.

    Args:
        features: ``[n, n_features]``, unit vectors of the answers.
        remembered: ``[n_remembered, n_features]``, unit vectors.
        labels: int ``[n_remembered]``, their classes.
        n_classes: number of classes.

    Returns:
        float64 ``[n, n_classes]``.
    """
    return nearest_of(features.astype(np.float64) @ remembered.astype(np.float64).T, labels, n_classes)


def nearest_of(similar: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the result of `nearest` from the cosines, float64 ``[n, n_remembered]``."""
    found = np.zeros((len(similar), n_classes))
    for label in np.unique(labels):
        found[:, label] = np.maximum(similar[:, labels == label].max(axis=1), 0)
    return found


def recall(answers: Answers, similarity: np.ndarray, rule: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return ``probabilities`` and ``digit_score`` with the memory taken into account, float64.

    Each class gains log-odds: `weight` for each unit of similarity above `similarity`, or above `unknown_similarity` if
    no drawing of the digit that the model read is remembered: a single correction must not attract its neighbours. The
    digit score gains `score_weight` likewise above `score_similarity`, for the most similar class; it never falls.

    Args:
        answers: ``probabilities`` ``[n, n_classes]`` and ``digit_score`` ``[n]`` of the model.
        similarity: the result of `nearest`.
        rule: the section `memory` of params.yaml.
    """
    logits = np.log(np.maximum(answers["probabilities"].astype(np.float64), SMALLEST))
    is_known = np.take_along_axis(similarity, logits.argmax(axis=1, keepdims=True), axis=1) > 0
    least = np.where(is_known, rule["similarity"], rule["unknown_similarity"])
    logits += rule["weight"] * np.maximum(similarity - least, 0)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    score = answers["digit_score"].astype(np.float64)
    gain = rule["score_weight"] * np.maximum(similarity.max(axis=1) - rule["score_similarity"], 0)
    # A score of 0 is a blank image, and stays one.
    raised = score / (score + (1 - score) * np.exp(-gain))
    return {"probabilities": odds / odds.sum(axis=1, keepdims=True), "digit_score": raised}
