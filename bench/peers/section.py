"""Report section on the peers: aims, ratios and figures."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.peers import FLOOR, OURS
from bench.rounds import Spread, ratio, spread
from pipeline.base.markdown import table

Row = Mapping[str, Any]

# Figure, connections and title of each ratio.
RATIOS = (("requests_per_s", 16, "requests/s at 16"), ("p50_ms", 1, "p50 at 1"), ("cpu_us", 16, "CPU at 16"))


def section(results: Mapping[str, Any]) -> str:
    """Return the section as Markdown.

    Args:
        results: written by `python -m bench.peers`, with one value per round for each figure.
    """
    whole = [
        (
            name,
            results["versions"].get(name, ""),
            *(f"{spread(figures[key]).median:.{digits}f}" for key, digits in (("memory_mb", 0), ("start_s", 2))),
        )
        for name, figures in results["peers"].items()
    ]
    failed = "".join(f"\n- Not measured: {name}: {reason}" for name, reason in results["failed"].items())
    jobs = "\n\n".join(
        f"### {title}\n\nMedians over the rounds:\n\n{_figures(results, job)}\n\n"
        f"{OURS}'s {_own(results, job, 1)['form']} to each, within each round, median (least to largest):\n\n"
        f"{_ratios(results, job)}"
        for job, title in (("tensor", "A 28x28 tensor"), ("png", "A 280x280 PNG"))
    )
    return (
        f"## The service and its peers\n\n`{results['command']}`, on {results['cpu']}, {results['n_cores']} cores. "
        "The same model file behind each server, on one core, driven from another over keep-alive connections. Each "
        "has one worker, its logs off, and onnxruntime on one thread; Flask has the network alone, in Keras. All ran "
        f"in turn, {_n_rounds(results)} rounds. Each is sent what its own documents teach; FastAPI also raw bytes that "
        "are read by hand and run inline, which its documents don't teach and which is bare Starlette in effect "
        f"(*by hand*). {OURS} answers with all four outputs, 1.4 kB; the peers, and {OURS} over V2, with two, "
        "`probabilities` and `digit_score`. The floor answers a constant on our ASGI server.\n\n"
        "![The figures as bars](peers.png)\n\n"
        "Bars are medians over the rounds, lines reach from the least round to the largest; `//` cuts off what is far "
        "longer than the others. The dotted line is the bound below.\n\n"
        "### What was aimed at\n\nRatios are formed within each round: median (least to largest).\n\n"
        + "\n".join(f"- {sentence}" for sentence in aims(results))
        + f"\n\n{jobs}\n\n### Memory and start\n\nOf all processes, after the load; from the start to the first right "
        "answer. Medians.\n\n" + table(("server", "version", "memory, MB", "start, s"), whole) + failed
    )


def aims(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each aim with the measured ratio and the result, then sentences on the overhead."""
    for text, job, figure, n_connections, limit in (
        ("At least 3 times the best peer's requests/s at 16 connections", "tensor", "requests_per_s", 16, 3.0),
        ("At most half of the best peer's p50 at 1 connection", "tensor", "p50_ms", 1, 0.5),
        ("At least 1.5 times the best peer's requests/s with the PNG", "png", "requests_per_s", 16, 1.5),
    ):
        for may_be_tuned in (False, True):
            for own in _own_forms(results, job, n_connections) if may_be_tuned else [_own(results, job, n_connections)]:
                if best := _best(results, job, figure, n_connections, may_be_tuned):
                    measured = ratio(own[figure], best[figure])
                    against = "any form, by hand too" if may_be_tuned else "what its documents teach"
                    holds = _holds(measured, limit, figure == "requests_per_s")
                    yield (
                        f"{text} **{holds}** against {against}: {measured}, {OURS}, {own['form']}, to {label(best)}."
                    )
    for text, figure in (("Least memory", "memory_mb"), ("Shortest start", "start_s")):
        others = {name: values[figure] for name, values in results["peers"].items() if name not in (OURS, FLOOR)}
        if others:
            name = min(others, key=lambda name: spread(others[name]).median)
            measured = ratio(results["peers"][OURS][figure], others[name])
            yield f"{text} **{_holds(measured, 1, False)}**: {measured}, {OURS} to {name}."
    yield from _overhead(results)


def _overhead(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on the processor time against the floor, and on the bound."""
    run, batch = results["run_cpu_us"]["1"], results["run_cpu_us"]["16"]
    for n_connections, run_us, what in ((1, run, "one image"), (16, run, "one image"), (16, batch, "a batch of 16")):
        floor_us = [sum(pair) for pair in zip(_floor(results, n_connections), run_us, strict=True)]
        measured = ratio(_own(results, "tensor", n_connections)["cpu_us"], floor_us)
        share = f"{spread(run_us).median:.0f} us an image in a run of {what}"
        yield (
            f"At most 1.4 of the processor time of floor + `session.run` at {n_connections} "
            f"connection{'s' if n_connections > 1 else ''} **{_holds(measured, 1.4, False)}** with {share}: {measured}."
        )
    bound = zero_overhead(results)
    own = _own(results, "tensor", 16)
    text = (
        "Out of reach for any service with this model file: with no overhead at all, the floor and an image's share of "
        f"a batch of 16 take the core for {spread(bound).median:,.0f} requests/s at 16 connections. {OURS} "
        f"({own['form']}) has {ratio(own['requests_per_s'], bound)} of that"
    )
    for may_be_tuned in (False, True):
        if best := _best(results, "tensor", "requests_per_s", 16, may_be_tuned):
            text += f"; it is {ratio(bound, best['requests_per_s'])} times {label(best)}"
    yield text + "."


def zero_overhead(results: Mapping[str, Any]) -> list[float]:
    """Return requests per second, by round, of a service without overhead: the floor plus batches of 16."""
    pairs = zip(_floor(results, 16), results["run_cpu_us"]["16"], strict=True)
    return [1e6 / (floor_us + run_us) for floor_us, run_us in pairs]


def select(results: Mapping[str, Any], job: str, n_connections: int) -> list[Row]:
    """Return the rows of a job, without the floor."""
    return [
        row
        for row in results["rows"]
        if (row["job"], row["connections"]) == (job, n_connections) and row["peer"] != FLOOR
    ]


def label(row: Row) -> str:
    """Return the label of a server and form."""
    return f"{row['peer']}, {row['form']}{' by hand' if row['is_tuned'] else ''}"


def _n_rounds(results: Mapping[str, Any]) -> int:
    return len(results["run_cpu_us"]["1"])


def _holds(measured: Spread, limit: float, is_least: bool) -> str:
    return "holds" if (measured.median >= limit if is_least else measured.median <= limit) else "does not hold"


def _own_forms(results: Mapping[str, Any], job: str, n_connections: int) -> list[Row]:
    """Return the rows of the service: its own form, and V2 binary, whose answer resembles those of the peers."""
    rows = [row for row in select(results, job, n_connections) if row["peer"] == OURS]
    return [row for row in rows if row is rows[0] or row["form"] == "V2 binary"]


def _own(results: Mapping[str, Any], job: str, n_connections: int) -> Row:
    return _own_forms(results, job, n_connections)[0]


def _floor(results: Mapping[str, Any], n_connections: int) -> list[float]:
    return next(r["cpu_us"] for r in results["rows"] if (r["peer"], r["connections"]) == (FLOOR, n_connections))


def _best(results: Mapping[str, Any], job: str, figure: str, n_connections: int, may_be_tuned: bool) -> Row | None:
    rows = select(results, job, n_connections)
    others = [row for row in rows if row["peer"] != OURS and (may_be_tuned or not row["is_tuned"])]
    sign = 1 if figure == "requests_per_s" else -1
    return max(others, key=lambda row: sign * spread(row[figure]).median, default=None)


def _figures(results: Mapping[str, Any], job: str) -> str:
    digits = {"p50_ms": 2, "p99_ms": 2, "requests_per_s": 0, "cpu_us": 0}
    forms: dict[str, list[str]] = {}
    for row in results["rows"]:
        if row["job"] == job:
            values = [f"{spread(row[figure]).median:,.{places}f}" for figure, places in digits.items()]
            forms.setdefault(label(row), []).extend(values)
    titles = [title for n in (1, 16) for title in (f"p50, ms at {n}", "p99", "requests/s", "CPU, us")]
    return table(("server and form", *titles), [(key, *values) for key, values in forms.items()])


def _ratios(results: Mapping[str, Any], job: str) -> str:
    columns = [
        {label(row): str(ratio(_own(results, job, n)[figure], row[figure])) for row in select(results, job, n)}
        for figure, n, _ in RATIOS
    ]
    own = label(_own(results, job, 1))
    rows = [(key, *(column[key] for column in columns)) for key in columns[0] if key != own]
    return table(("server and form", *(title for _, _, title in RATIOS)), rows)
