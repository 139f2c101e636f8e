"""Figures that were measured in several rounds, all servers in each: a list of one value a round.

A ratio is formed within each round, for what else the machine does changes from one to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """Median, least and largest value over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """The median with the ends, two decimals."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def by_figure(rounds: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The values of all rounds, by figure."""
    return {name: [round(figures[name], 3) for figures in rounds] for name in rounds[0]}


def spread(values: Sequence[float]) -> Spread:
    """Of one value a round."""
    return Spread(median(values), min(values), max(values))


def ratio(values: Sequence[float], others: Sequence[float]) -> Spread:
    """Of one figure to another of the same rounds."""
    return spread([value / other for value, other in zip(values, others, strict=True)])
