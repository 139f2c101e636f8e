"""How sure a measured share is: 95 % confidence intervals."""

import numpy as np
from scipy.stats import binomtest


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
