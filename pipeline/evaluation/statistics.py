"""Confidence intervals, calibration bins and tests of differences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest


def mcnemar(is_right: np.ndarray, baseline: np.ndarray) -> tuple[int, int, float]:
    """Of the same images, how many are right here alone, there alone, and p of an exact McNemar test."""
    n_better, n_worse = int((is_right & ~baseline).sum()), int((baseline & ~is_right).sum())
    return n_better, n_worse, binomtest(n_better, n_better + n_worse).pvalue if n_better + n_worse else 1.0


def shown_p(p: float) -> str:
    """Such as "p = 0.013"."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """Interval of a share of independent things (Wilson, 1927): lower and upper end, 0 to 1; n is at least 1."""
    interval = binomtest(n_hits, n).proportion_ci(0.95, method="wilson")
    return round(float(interval.low), 6), round(float(interval.high), 6)


def bootstrap(hits: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Interval of a share of things that come in clusters, such as the drawings of one writer.

    Whole clusters are drawn again (Efron, 1979; the percentiles of 10,000 such samples), because those of one writer
    are right or wrong together. With few clusters it is a little too narrow; where all are right it has no width.

    Args:
        hits: bool ``[n]``.
        clusters: int ``[n]``, whose each one is; of at least two.
    """
    _, numbers = np.unique(clusters, return_inverse=True)
    n_each, n_hits = np.bincount(numbers), np.bincount(numbers, weights=hits)
    drawn = np.random.default_rng(0).integers(len(n_each), size=(10_000, len(n_each)))
    low, high = np.quantile(n_hits[drawn].sum(axis=1) / n_each[drawn].sum(axis=1), (0.025, 0.975))
    return round(float(low), 6), round(float(high), 6)


def proportion(name: str, hits: np.ndarray, clusters: np.ndarray | None = None) -> dict[str, float]:
    """Share of true values in bool ``[n]`` as ``<name>``, and its interval as ``<name>_low`` and ``<name>_high``."""
    low, high = wilson(int(hits.sum()), len(hits)) if clusters is None else bootstrap(hits, clusters)
    return {name: round(float(hits.mean()), 6), f"{name}_low": low, f"{name}_high": high}


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
        probabilities: float ``[n, classes]``.
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
