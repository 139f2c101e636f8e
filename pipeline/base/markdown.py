"""Markdown fragments for the generated documents."""

from collections.abc import Iterable, Mapping, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a header and one line for each row."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows))


def percent(share: float, digits: int = 2) -> str:
    """Format a share between 0 and 1 in per cent."""
    return f"{100 * share:.{digits}f} %"


def interval(row: Mapping[str, float], name: str, digits: int) -> str:
    """Format the share in `row[name]` and its interval, from `name_low` to `name_high`, in per cent."""
    share, low, high = (f"{100 * row[f'{name}{end}']:.{digits}f}" for end in ("", "_low", "_high"))
    return f"{share} % ({low} to {high})"
