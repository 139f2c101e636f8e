"""Mistakes, confusion matrices and reliability, in the format of the model file."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline.evaluation.metrics import Answered, confusion_matrix
from pipeline.evaluation.statistics import Bin
from serving.model.decisions import states

MAX_MISTAKES = 300  # enough for all mistakes of a good reader; each takes a kilobyte
KEYS = {"MNIST": "mnist", "pen strokes": "strokes"}  # test set -> its key in ``confusion``


class Mistake(NamedTuple):
    """A misread digit.

    Attributes:
        source: name of the test set.
        image: index in the test set.
        actual, predicted: the label and the most probable digit.
        confidence: probability of the predicted digit, 0 to 1.
        state: state of the answer.
    """

    source: str
    image: int
    actual: int
    predicted: int
    confidence: float
    state: str


def worst_mistakes(tests: Mapping[str, Answered], thresholds: Mapping[str, float]) -> list[Mistake]:
    """Return the mistakes, sorted by decreasing confidence in the wrong digit, at most `MAX_MISTAKES`."""
    mistakes = []
    for source, test in tests.items():
        predicted, confidence = test.predicted, test.answers["probabilities"].max(axis=1)
        found = states(test.answers, thresholds)
        for i in np.flatnonzero(~test.is_right).tolist():
            row = Mistake(source, i, int(test.labels[i]), int(predicted[i]), float(confidence[i]), str(found[i]))
            mistakes.append(row)
    worst = sorted(mistakes, key=lambda mistake: -mistake.confidence)[:MAX_MISTAKES]
    return [mistake._replace(confidence=round(mistake.confidence, 4)) for mistake in worst]


def details(
    tests: Mapping[str, Answered], bins: Mapping[str, Sequence[Bin]], mistakes: Sequence[Mistake]
) -> dict[str, Any]:
    """Return the data behind the metrics.

    Args:
        tests: answers to the digits of each test set, by its name.
        bins: reliability of each test set.
        mistakes: result of `worst_mistakes`.

    Returns:
        - ``confusion``: confusion matrices "mnist" and "strokes".
        - ``reliability``: rows of `Bin` with their ``test``.
        - ``mistakes``: rows of `Mistake` with ``pixels``, the 28x28 bytes that the network got, in base64.
    """
    return {
        "confusion": {KEYS[name]: confusion_matrix(test).tolist() for name, test in tests.items()},
        "reliability": [{"test": name} | row._asdict() for name, rows in bins.items() for row in rows],
        "mistakes": [
            row._asdict() | {"pixels": base64.b64encode(network_input(tests, row).tobytes()).decode("ascii")}
            for row in mistakes
        ],
    }


def network_input(tests: Mapping[str, Answered], mistake: Mistake) -> np.ndarray:
    """Return the normalised image of a mistake, as the network got it: uint8 ``[28, 28]``."""
    return tests[mistake.source].answers["normalized"][mistake.image]
