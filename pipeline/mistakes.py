"""The misread digits that the reader was surest of."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline.decisions import states
from pipeline.metrics import Answered


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
