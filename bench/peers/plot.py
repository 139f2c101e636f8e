"""Plot of the service and its peers."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers import FLOOR, OURS
from bench.peers.section import label, select, zero_overhead
from bench.rounds import spread
from pipeline.base.paths import ROOT

PLOT = ROOT / "docs" / "peers.png"

OWN_COLOUR, PEER_COLOUR = "#d1495b", "#a9b4c2"
# If less is better, bars longer than this many times the median of their panel are cut off. Their number is kept.
CUT = 3.0


def overview(results: Mapping[str, Any]) -> Figure:
    """Plot the median of each server and form as a bar, and its range over the rounds as a line."""
    tensor, png = (
        sorted(select(results, job, 16), key=lambda row: -spread(row["requests_per_s"]).median)
        for job in ("tensor", "png")
    )
    calm = {label(row): row for row in select(results, "tensor", 1)}
    servers = {name: figures for name, figures in results["peers"].items() if name != FLOOR}
    servers = dict(sorted(servers.items(), key=lambda item: spread(item[1]["memory_mb"]).median))
    figure = Figure(figsize=(13, 8.4), layout="constrained")
    (rate, p50, cpu), (png_rate, memory, start) = figure.subplots(2, 3, height_ratios=(len(tensor), len(png)))
    _bars(rate, "28x28 tensor: requests/s, 16 connections", {label(row): row["requests_per_s"] for row in tensor})
    _bars(
        p50,
        "28x28 tensor: median ms, 1 connection",
        {label(row): calm[label(row)]["p50_ms"] for row in tensor},
    )
    _bars(cpu, "28x28 tensor: CPU us each, 16 connections", {label(row): row["cpu_us"] for row in tensor})
    _bars(png_rate, "280x280 PNG: requests/s, 16 connections", {label(row): row["requests_per_s"] for row in png})
    _bars(memory, "Memory after the load, MB", {name: values["memory_mb"] for name, values in servers.items()})
    _bars(start, "Start to the first answer, s", {name: values["start_s"] for name, values in servers.items()})
    bound = spread(zero_overhead(results)).median
    rate.axvline(bound, color="black", linewidth=1, linestyle=":")
    rate.text(bound, len(tensor) - 0.6, f"no overhead  \n{bound:,.0f}  ", ha="right", va="bottom", fontsize=8)
    rate.set_xlim(0, max(rate.get_xlim()[1], 1.02 * bound))
    for axes in (p50, cpu, start):
        axes.set_yticklabels([])
    return figure


def _bars(axes: Axes, title: str, rounds: Mapping[str, Sequence[float]]) -> None:
    spreads = {name: spread(values) for name, values in rounds.items()}
    limit = float("inf") if "requests/s" in title else CUT * median(one.median for one in spreads.values())
    longest = max(one.high for one in spreads.values() if one.median <= limit)
    for row, (name, one) in enumerate(spreads.items()):
        is_cut = one.median > limit
        end = 1.1 * longest if is_cut else one.median
        axes.barh(row, end, height=0.72, color=OWN_COLOUR if name.startswith(OURS) else PEER_COLOUR)
        if is_cut:
            axes.text(0.94 * end, row, "//", color="white", fontsize=13, fontweight="bold", ha="center", va="center")
        else:
            axes.plot([one.low, one.high], [row, row], color="black", linewidth=0.8, alpha=0.6)
        text = f"{one.median:,.2f}" if one.median < 10 else f"{one.median:,.0f}"
        place = (end if is_cut else one.high), row
        axes.annotate(text, place, (4, 0), textcoords="offset points", fontsize=8.5, va="center")
    axes.set_yticks(range(len(spreads)), list(spreads), fontsize=9)
    for tick, name in zip(axes.get_yticklabels(), spreads, strict=True):
        tick.set_fontweight("bold" if name.startswith(OURS) else "normal")
    axes.set_title(title, fontsize=10, loc="left")
    axes.set(xlim=(0, 1.3 * longest), xticks=[])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
