"""Confidence intervals, calibration bins and tests of differences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest


def compare(is_right: np.ndarray, baseline: np.ndarray) -> tuple[int, int, float, float]:
    """Compare correct answers with those of a baseline on the same images, both bool ``[n]``.

    Returns:
        The numbers of images that only the reader, and only the baseline, reads correctly; the difference of the
        accuracies in percentage points; the result of `mcnemar`, two-sided.
    """
    n_better, n_worse = int((is_right & ~baseline).sum()), int((baseline & ~is_right).sum())
    points = 100 * (n_better - n_worse) / len(is_right)
    return n_better, n_worse, points, mcnemar(n_better, n_worse)


def mcnemar(n_first: int, n_second: int, alternative: str = "two-sided") -> float:
    """Return the p-value of an exact McNemar test (1947), or 1 if there is no difference.

    Args:
        n_first: images that only the first reads correctly.
        n_second: images that only the second reads correctly.
        alternative: "two-sided", or "greater" to test whether `n_first` is larger than chance explains.
    """
    n = n_first + n_second
    return float(binomtest(n_first, n, alternative=alternative).pvalue) if n else 1.0


def format_p(p: float) -> str:
    """Format a p-value, for example "p = 0.013"."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share of independent things (Wilson, 1927), 0 to 1; n is at least 1."""
    interval = binomtest(n_hits, n).proportion_ci(0.95, method="wilson")
    return round(float(interval.low), 6), round(float(interval.high), 6)


def bootstrap(hits: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share of things in clusters, such as the drawings of each writer.

    Resample whole clusters (Efron, 1979; percentiles of 10,000 samples), because the drawings of a writer are
    correlated. With few clusters the interval is a little too narrow; if all hits are true, it has no width.

    Args:
        hits: bool ``[n]``.
        clusters: int ``[n]``, the cluster of each; at least two clusters.
    """
    _, numbers = np.unique(clusters, return_inverse=True)
    n_each, n_hits = np.bincount(numbers), np.bincount(numbers, weights=hits)
    drawn = np.random.default_rng(0).integers(len(n_each), size=(10_000, len(n_each)))
    low, high = np.quantile(n_hits[drawn].sum(axis=1) / n_each[drawn].sum(axis=1), (0.025, 0.975))
    return round(float(low), 6), round(float(high), 6)


def proportion(name: str, hits: np.ndarray, clusters: np.ndarray | None = None) -> dict[str, float]:
    """Return the share of hits as ``<name>``, and its 95 % interval as ``<name>_low`` and ``<name>_high``."""
    low, high = wilson(int(hits.sum()), len(hits)) if clusters is None else bootstrap(hits, clusters)
    return {name: round(float(hits.mean()), 6), f"{name}_low": low, f"{name}_high": high}


N_BINS = 15  # as in Guo et al., 2017


class Bin(NamedTuple):
    """Answers whose confidence, the largest probability, is between `low` and `high`. All values are in 0 to 1.

    Attributes:
        low, high: ends of the bin; the last bin includes 1.
        n: number of answers, at least one.
        confidence: mean confidence.
        accuracy: share of correct answers.
        accuracy_low, accuracy_high: 95 % interval of the accuracy (Wilson, 1927).
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[Bin]:
    """Sort the answers into confidence bins of equal width; omit empty bins (DeGroot and Fienberg, 1983).

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
    """Return the mean difference between confidence and accuracy over all answers (Guo et al., 2017), 0 to 1."""
    gaps = sum(row.n * abs(row.confidence - row.accuracy) for row in bins)
    return gaps / sum(row.n for row in bins)
