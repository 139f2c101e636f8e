"""A picture of the peers' figures."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from bench.peers import FLOOR, OURS
from pipeline.paths import ROOT

PLOT = ROOT / "docs" / "peers.png"


def overview(results: Mapping[str, Any]) -> Figure:
    """Bars for each peer and form, logarithmic: the tensor job above, the PNG job, memory and start below."""
    panels = [
        [
            ("28x28 tensor: median latency at 1 connection, ms", _rows(results, "tensor", 1, "p50_ms")),
            ("28x28 tensor: requests per second at 16", _rows(results, "tensor", 16, "requests_per_s")),
            ("28x28 tensor: server CPU per request at 16, us", _rows(results, "tensor", 16, "cpu_us")),
        ],
        [
            ("280x280 PNG: requests per second at 16", _rows(results, "png", 16, "requests_per_s")),
            ("Memory after the load, MB", _whole(results, "memory_mb")),
            ("Start to the first right answer, s", _whole(results, "start_s")),
        ],
    ]
    figure = Figure(figsize=(15, 8), layout="constrained")
    for row, contents in zip(figure.subplots(2, 3), panels, strict=True):
        for axes, (title, values) in zip(row, contents, strict=True):
            colours = ["C0" if name.startswith(OURS) else "C7" for name in values]
            bars = axes.barh(list(values), list(values.values()), color=colours)
            axes.bar_label(bars, fmt=_label, padding=2, fontsize="x-small")
            axes.set_title(title, fontsize="small")
            axes.set(xscale="log", xticks=[])
            axes.minorticks_off()
            axes.tick_params(labelsize="x-small")
            axes.margins(x=0.2)
            axes.invert_yaxis()
    return figure


def _label(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _rows(results: Mapping[str, Any], job: str, n_connections: int, figure: str) -> dict[str, float]:
    return {
        f"{row['peer']}, {row['form']}": row[figure]
        for row in results["rows"]
        if row["job"] == job and row["connections"] == n_connections and row["peer"] != FLOOR
    }


def _whole(results: Mapping[str, Any], figure: str) -> dict[str, float]:
    return {name: figures[figure] for name, figures in results["peers"].items() if name != FLOOR}
