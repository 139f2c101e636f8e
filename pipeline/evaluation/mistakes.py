"""The evaluation of single digits: mistakes, confusions and reliability, as the model file carries them."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline.evaluation.metrics import Answered, confusion_matrix
from pipeline.evaluation.statistics import Bin
from serving.model.decisions import states


class Mistake(NamedTuple):
    """A misread digit.

    Attributes:
        source: the test set.
        image: its number in the test set, from 0.
        actual, predicted: the label and the most probable digit.
        confidence: its probability, 0 to 1.
        state: what it was called all the same.
    """

    source: str
    image: int
    actual: int
    predicted: int
    confidence: float
    state: str


def worst_mistakes(tests: Mapping[str, Answered], thresholds: Mapping[str, float], n_worst: int) -> list[Mistake]:
    """The mistakes with the highest confidence in the wrong digit, at most `n_worst`; the worst first."""
    mistakes = []
    for source, test in tests.items():
        predicted, confidence = test.predicted, test.answers["probabilities"].max(axis=1)
        found = states(test.answers, thresholds)
        for i in np.flatnonzero(predicted != test.labels).tolist():
            sureness = float(confidence[i])
            mistakes.append(Mistake(source, i, int(test.labels[i]), int(predicted[i]), sureness, str(found[i])))
    worst = sorted(mistakes, key=lambda mistake: -mistake.confidence)[:n_worst]
    return [mistake._replace(confidence=round(mistake.confidence, 4)) for mistake in worst]


MOST_MISTAKES = 300  # all of a good reader's; with their pixels a kilobyte each
KEYS = {"MNIST": "mnist", "pen strokes": "strokes"}  # of the confusion matrices


def details(
    tests: Mapping[str, Answered], bins: Mapping[str, Sequence[Bin]], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """What the figures are made of.

    Args:
        tests: the answers by the name of the test set; in each, a digit once.
        bins: the reliability of each.
        thresholds: as `states` takes them.

    Returns:
        ``confusion``: counts by actual and predicted digit, of "mnist" and "strokes"; ``reliability``: rows of `Bin`
        after their ``test``; ``mistakes``: the misread ones as `Mistake` has them, the surest first and at most
        `MOST_MISTAKES`, with ``pixels``, the 28x28 bytes that the network saw, in base64.
    """
    mistakes = [
        mistake._asdict() | {"pixels": _pixels(tests[mistake.source], mistake.image)}
        for mistake in worst_mistakes(tests, thresholds, MOST_MISTAKES)
    ]
    return {
        "confusion": {KEYS[name]: confusion_matrix(test).tolist() for name, test in tests.items()},
        "reliability": [{"test": name} | row._asdict() for name, rows in bins.items() for row in rows],
        "mistakes": mistakes,
    }


def _pixels(test: Answered, number: int) -> str:
    return base64.b64encode(test.answers["normalized"][number].tobytes()).decode("ascii")
