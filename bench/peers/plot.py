"""Plot of the service and its peers."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers import OURS
from bench.peers.section import RATE, label
from bench.rounds import spread
from pipeline.base.paths import ROOT

PLOT = ROOT / "docs" / "peers.png"

OWN_COLOUR, PEER_COLOUR = "#d1495b", "#a9b4c2"
CUT = 3.0  # bars longer than this many times the median of their panel are cut off
# Title, job, connections, figure; the largest rate and the least time come first.
PANELS = (
    ("28x28 tensor: median ms, 1 connection", "tensor", 1, "p50_ms"),
    ("28x28 tensor: CPU us per answer, 1 connection", "tensor", 1, "cpu_us"),
    ("28x28 tensor: good answers/s, 16 connections", "tensor", 16, RATE),
    ("280x280 PNG: good answers/s, 16 connections", "png", 16, RATE),
)


def overview(results: Mapping[str, Any]) -> Figure:
    """Plot the median of each server and form as a bar, and its range over the rounds as a line."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    for axes, (title, job, n_connections, name) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        rows = [row for row in results["rows"] if (row["job"], row["connections"]) == (job, n_connections)]
        rows.sort(key=lambda row: spread(row[name]).median, reverse=name == RATE)
        axes.set_title(title, fontsize=10, loc="left")
        _bars(axes, {label(row): row[name] for row in rows})
    return figure


def _bars(axes: Axes, rounds: Mapping[str, Sequence[float]]) -> None:
    limit = CUT * median(spread(values).median for values in rounds.values())
    for row, (name, values) in enumerate(rounds.items()):
        one = spread(values)
        is_cut = one.median > limit
        axes.barh(row, min(one.median, limit), color=OWN_COLOUR if name.startswith(OURS) else PEER_COLOUR)
        axes.plot([min(one.low, limit), min(one.high, limit)], [row, row], color="black", linewidth=0.8, alpha=0.6)
        text = f"{one.median:,.2f}" if one.median < 10 else f"{one.median:,.0f}"
        axes.annotate(
            f"{'// ' * is_cut}{text}",
            (min(one.high, limit), row),
            (4, 0),
            textcoords="offset points",
            fontsize=8.5,
            va="center",
        )
    axes.set_yticks(range(len(rounds)), list(rounds), fontsize=9)
    axes.set(xlim=(0, 1.2 * axes.get_xlim()[1]), xticks=[])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
