"""Report section and plot of the peers: aims and figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure

from bench.peers import FLOOR, HAND, OURS
from bench.rounds import ratio, spread
from pipeline.base.markdown import table
from pipeline.base.paths import ROOT

Row = Mapping[str, Any]

PLOT = ROOT / "docs" / "peers.png"
RATE = "requests_per_s"
FIGURES = {"p50_ms": "p50", "cpu_us": "CPU per answer", RATE: "good answers/s"}
JOBS = {"tensor": "28x28 tensor", "png": "280x280 PNG"}

# Job, figure and connections of the service, peer and connections compared with, and limit of the ratio: the least for
# good answers per second, otherwise the largest.
AIMS = (
    ("tensor", "p50_ms", 1, HAND, 1, 0.85),
    ("tensor", "cpu_us", 1, HAND, 1, 0.85),
    ("tensor", RATE, 16, HAND, 16, 1.8),
    ("tensor", RATE, 64, HAND, 64, 1.8),
    ("png", RATE, 16, HAND, 16, 1.25),
    ("tensor", "cpu_us", 1, FLOOR, 1, 1.2),
    ("tensor", "cpu_us", 16, FLOOR, 16, 0.8),
    ("tensor", RATE, 64, OURS, 16, 0.95),
    ("tensor", RATE, 256, OURS, 16, 0.95),
)

# Figure, connections and decimals of each column.
COLUMNS = (
    ("p50_ms", 1, 2),
    ("cpu_us", 1, 0),
    ("cpu_us", 16, 0),
    *((RATE, n, 0) for n in (1, 16, 64, 256)),
    *(("p99_ms", n, 1) for n in (1, 16, 64, 256)),
)
TITLES = {"p50_ms": "p50, ms", "p99_ms": "p99, ms", "cpu_us": "CPU, us", RATE: "good/s"}


# Of each panel: title, job, connections, figure. The largest rate and the least time come first.
PANELS = (
    ("28x28 tensor: median ms, 1 connection", "tensor", 1, "p50_ms"),
    ("28x28 tensor: CPU us per answer, 1 connection", "tensor", 1, "cpu_us"),
    ("28x28 tensor: good answers/s, 16 connections", "tensor", 16, RATE),
    ("280x280 PNG: good answers/s, 16 connections", "png", 16, RATE),
)


def plot(results: Mapping[str, Any]) -> Figure:
    """Plot the median of each server and form as a bar, and its range over the rounds as a line."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    for axes, (title, job, n_connections, name) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
        rows = [row for row in results["rows"] if (row["job"], row["connections"]) == (job, n_connections)]
        rows.sort(key=lambda row: spread(row[name]).median, reverse=name != RATE)
        spreads = [spread(row[name]) for row in rows]
        colours = ["#d1495b" if row["peer"] == OURS else "#a9b4c2" for row in rows]
        ranges = [[one.median - one.low for one in spreads], [one.high - one.median for one in spreads]]
        medians = [one.median for one in spreads]
        bars = axes.barh([_label(row) for row in rows], medians, xerr=ranges, color=colours, log=True)
        axes.bar_label(bars, [f"{median:,.{2 if median < 10 else 0}f}" for median in medians], padding=4, fontsize=8)
        axes.set_title(title, fontsize=10, loc="left")
        axes.tick_params(axis="x", which="minor", labelbottom=False)  # they would overlap
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    origin, n_rounds = results["origin"], len(results["peers"][OURS]["start_s"])
    whole = [
        (name, results["versions"].get(name, ""), f"{spread(figures['memory_mb']).median:.0f}",
         f"{spread(figures['start_s']).median:.2f}")
        for name, figures in results["peers"].items()
    ]  # fmt: skip
    failed = "".join(f"\n- Not measured: {name}: {reason}" for name, reason in results["failed"].items())
    return (
        f"## The service and its peers\n\n`{origin['command']}`, on {origin['cpu']}, {origin['n_cores']} cores. "
        "All servers run the same model file in one worker on one core, without logs, and with onnxruntime on one "
        "thread. The load generator runs on another core and keeps its connections open. Each of the "
        f"{n_rounds} rounds starts every server in turn; figures are medians of the rounds.\n\n"
        "- Each peer gets the forms of request that its documentation describes. "
        f"*{HAND}* reads the bytes of the body in an async function, which its documentation does not describe.\n"
        "- *batching* means the adaptive batching of the peer, for up to 16 requests. The *floor* is bare ASGI on "
        "uvicorn: it runs the model for each request, without validation, batching or admission control.\n"
        "- Only right answers with status 200 are good; the share of others follows in brackets. CPU is the server's "
        "time per good answer. p99 is left out if a round has fewer than 1,000 good answers.\n\n"
        "![Bar chart of the figures](peers.png)\n\n"
        f"### Aims\n\n{OURS}'s figure divided by the other one within each round: median (least to largest).\n\n"
        + table(("job", "figure", "connections", "divided by", "aim", "measured", "reached"), aims(results))
        + "".join(f"\n\n### {title}\n\n{_figures(results, job)}" for job, title in JOBS.items())
        + "\n\n### Memory and start\n\nMemory of all processes after the load, and time from the start to the first "
        "correct answer.\n\n" + table(("server", "version", "memory, MB", "start, s"), whole) + failed
    )


def aims(results: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each aim whose figures were measured, those of the first form of a peer for the job."""
    first: dict[tuple[str, str, int], Row] = {}
    for row in results["rows"]:
        first.setdefault((row["peer"], row["job"], row["connections"]), row)
    for job, figure, n_own, other, n_other, limit in AIMS:
        if (own := first.get((OURS, job, n_own))) and (base := first.get((other, job, n_other))):
            measured, is_least = ratio(own[figure], base[figure]), figure == RATE
            is_reached = measured.median >= limit if is_least else measured.median <= limit
            divisor = other if n_other == n_own else f"{other} at {n_other}"
            aim = f"at {'least' if is_least else 'most'} {limit}"
            yield JOBS[job], FIGURES[figure], str(n_own), divisor, aim, str(measured), "yes" if is_reached else "**no**"


def _label(row: Row) -> str:
    return f"{row['peer']}, {row['form']}"


def _figures(results: Mapping[str, Any], job: str) -> str:
    forms: dict[str, dict[int, Row]] = {}
    for row in results["rows"]:
        if row["job"] == job:
            forms.setdefault(_label(row), {})[row["connections"]] = row
    titles = (f"{TITLES[figure]} at {n}" for figure, n, _ in COLUMNS)
    rows = [
        (name, *(_cell(by_n.get(n, {}), figure, digits) for figure, n, digits in COLUMNS))
        for name, by_n in forms.items()
    ]
    return table(("server and form", *titles), rows)


def _cell(row: Row, figure: str, digits: int) -> str:
    if figure not in row:
        return ""
    failed = spread(row["failed_percent"]).median if figure == RATE else 0
    return f"{spread(row[figure]).median:,.{digits}f}" + (f" ({failed:.0f} %)" if failed >= 0.5 else "")
