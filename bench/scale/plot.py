"""Plot of latency by load."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.rounds import ratio, spread
from bench.scale.section import ARRIVALS, P99_MS, workers
from pipeline.base.paths import ROOT

PLOT = ROOT / "docs" / "scale.png"

COLOURS = {"requests": "#2e6f95", "drawings": "#d1495b"}


def overview(results: Mapping[str, Any]) -> Figure:
    """Plot p99 by share of the capacity, with one panel for each number of workers."""
    services = results["services"]
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, len(services), sharey=True)
    for axes, (n_workers, service) in zip(panels, services.items(), strict=True):
        for arrivals, words in ARRIVALS.items():
            rows = sorted(service[arrivals].values(), key=lambda row: _offered(service, row))
            offered = [_offered(service, row) for row in rows]
            measured = [spread(row["p99_ms"]) for row in rows]
            colour, ends = COLOURS[arrivals], ([one.low for one in measured], [one.high for one in measured])
            axes.fill_between(offered, *ends, color=colour, alpha=0.15)
            axes.plot(offered, [one.median for one in measured], "o-", color=colour, label=words)
        axes.axhline(P99_MS, color="black", linewidth=0.8, linestyle=":")
        axes.axvline(1, color="black", linewidth=0.8, linestyle=":")
        axes.set_title(workers(n_workers), fontsize=10, loc="left")
        axes.set(yscale="log", xlabel="offered, share of the capacity")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("p99, ms")
    panels[0].legend(fontsize=8, frameon=False)
    return figure


def _offered(service: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """Return the offered share of the capacity. For drawings it varies, because few begin in a short time."""
    return ratio(row["offered_per_s"], service["whole"]["capacity_per_s"]).median
