"""How sure a measured share is."""

import numpy as np
from scipy.stats import binomtest


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson, 1927): lower and upper end, 0 to 1; n is at least 1."""
    interval = binomtest(n_hits, n).proportion_ci(0.95, method="wilson")
    return round(float(interval.low), 6), round(float(interval.high), 6)


def proportion(name: str, hits: np.ndarray) -> dict[str, float]:
    """Share of true values in bool ``[n]`` as ``<name>``, and its interval as ``<name>_low`` and ``<name>_high``."""
    low, high = wilson(int(hits.sum()), len(hits))
    return {name: round(float(hits.mean()), 6), f"{name}_low": low, f"{name}_high": high}
