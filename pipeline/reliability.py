"""Whether confidence can be believed: accuracy in bins of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.intervals import wilson

N_BINS = 15  # as in Guo et al., 2017


class Bin(NamedTuple):
    """The answers whose confidence, the largest probability, lies from `low` up to `high`; all in 0 to 1.

    Attributes:
        low, high: of the bin; the last one includes 1.
        n: answers, at least one.
        confidence: their mean.
        accuracy: share of right ones; its 95 % interval (Wilson, 1927) is `accuracy_low` to `accuracy_high`.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[Bin]:
    """Equally wide bins of confidence, without the empty ones (DeGroot and Fienberg, 1983).

    Args:
        probabilities: float ``[n, 10]``.
        labels: int ``[n]``.
    """
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    of_bin = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    bins = []
    for number in np.unique(of_bin).tolist():
        here = of_bin == number
        right, count = int(is_right[here].sum()), int(here.sum())
        edges = round(number / N_BINS, 6), round((number + 1) / N_BINS, 6)
        mean = round(float(confidence[here].mean(dtype=np.float64)), 6)
        bins.append(Bin(*edges, count, mean, round(right / count, 6), *wilson(right, count)))
    return bins


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Mean gap between confidence and accuracy over all answers (Guo et al., 2017), 0 to 1."""
    gaps = sum(row.n * abs(row.confidence - row.accuracy) for row in bins)
    return gaps / sum(row.n for row in bins)
