"""Pieces of the documents that are written from figures."""

from collections.abc import Iterable, Mapping, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a header, a line a row."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows))


def percent(share: float, digits: int = 2) -> str:
    """A share, 0 to 1, in per cent."""
    return f"{100 * share:.{digits}f} %"


def interval(row: Mapping[str, float], name: str, digits: int) -> str:
    """A share with the ends of its interval, as `pipeline.evaluation.statistics.proportion` names them, in per cent."""
    share, low, high = (f"{100 * row[f'{name}{end}']:.{digits}f}" for end in ("", "_low", "_high"))
    return f"{share} % ({low} to {high})"
