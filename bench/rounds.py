"""Figures of several rounds, as lists with one value per round.

A ratio is formed within each round, because the load of the machine changes between rounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, order=True)
class Spread:
    """Median, least and largest value over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the median and the ends, with two decimals."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def by_figure(rounds: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the values of all rounds by figure. A figure that is missing in a round is left out."""
    names = [name for name in rounds[0] if all(name in figures for figures in rounds)]
    return {name: [round(figures[name], 3) for figures in rounds] for name in names}


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of a list of values."""
    return Spread(median(values), min(values), max(values))


def ratio(values: Sequence[float], others: Sequence[float]) -> Spread:
    """Return the spread of the ratios of two figures, round by round."""
    return spread([value / other for value, other in zip(values, others, strict=True)])
