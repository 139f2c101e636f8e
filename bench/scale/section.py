"""Report section on scale: measured figures, limits, and replicas for many drawings."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bench.rounds import ratio, spread
from pipeline.base.markdown import table

# An answer within a tenth of a second seems immediate; half of this time is left for the network and the browser.
P99_MS = 50.0
# Share of the capacity that is kept free: for peaks within the hour, uneven balancing, and a replica that restarts.
HEADROOM = 0.3
DRAWINGS_PER_HOUR = 1_000_000

ARRIVALS = {"requests": "single requests", "drawings": "drawings"}

Figures = Mapping[str, Any]


def section(results: Figures) -> str:
    """Return the section as Markdown.

    Args:
        results: written by `python -m bench.scale`, with one value per round for each figure.
    """
    drawing, services = results["drawing"], results["services"]
    one, two = (services[n]["whole"] for n in ("1", "2"))
    n_rounds = len(one["capacity_per_s"])
    busiest = [one for name in ARRIVALS for row in services["2"][name].values() for one in row["busiest_share"]]
    tables = "\n\n".join(f"### {workers(n)}\n\n{_rates(service)}" for n, service in services.items())
    return (
        f"## Scale\n\n`{results['command']}`, on {results['cpu']}, {results['n_cores']} cores. A canvas as the page "
        f"sends it, {drawing['body_bytes']:,} bytes of grey, on connections that are kept. The capacity is measured in "
        "a closed loop, of which shares are then offered in an open one: requests are due whatever becomes of them, "
        "and latency counts from when each was due, so that what a slow answer holds up is seen. *Single requests* "
        "come each without regard to the others (Poisson). *Drawings* begin so, and each asks "
        f"{drawing['mean_requests']:.1f} times on average, once a frame of {1e3 * drawing['frame_s']:.1f} ms: as often "
        f"as the page would for the pen's points in {drawing['n_drawings']:,} drawings of Pendigits if each came as an "
        "event of its own. That is an assumption, for the data has no times; the page asks less often where an answer "
        "takes longer than a frame. One worker has a core of its own and the load generator another; two workers have "
        "both cores and **share one with the generator**, so that their figures are a lower bound of what two cores "
        f"serve. Shares are those that were meant; of drawings chance has more or fewer begin in a short load, which "
        f"*offered* shows. Medians over {n_rounds} rounds of {results['seconds']:g} s a load; CPU is of each answer, "
        "what refusals cost included.\n\n"
        "![p99 by share of the capacity](scale.png)\n\n"
        f"{tables}\n\nTwo workers have {ratio(two['capacity_per_s'], one['capacity_per_s'])} times the capacity of "
        "one, median (least to largest). Connections go to whichever worker takes them first: of the "
        f"processor time the busier one had {spread(busiest)} over all loads."
        "\n\n### What one core serves, and what limits it\n\n"
        + "\n".join(f"- {sentence}" for sentence in _limits(results))
        + f"\n\n### {DRAWINGS_PER_HOUR:,} drawings an hour\n\n{_replicas(results)}"
    )


def served(service: Figures, arrivals: str) -> tuple[str, Figures] | None:
    """Return the largest share of the capacity with p99 within its limit and no refused request, and its figures.

    Return None if there is no such share.
    """
    best = None
    for share, row in service[arrivals].items():
        if _median(row, "p99_ms") > P99_MS or max(row["refused_per_s"]) or max(row["lost"]):
            break
        best = share, row
    return best


def workers(n_workers: int | str) -> str:
    """Return the number with its noun."""
    return f"{n_workers} worker{'s' * (str(n_workers) != '1')}"


def _median(figures: Figures, name: str) -> float:
    return spread(figures[name]).median


def _rates(service: Figures) -> str:
    whole = service["whole"]
    digits = {"offered_per_s": 0, "answered_per_s": 0, "refused_per_s": 0, "lost": 0}
    digits |= {"p50_ms": 1, "p99_ms": 1, "mean_ms": 1, "cpu_us": 0}
    rows = [
        (words, share, *(f"{_median(row, name):,.{places}f}" for name, places in digits.items()))
        for arrivals, words in ARRIVALS.items()
        for share, row in service[arrivals].items()
    ]
    titles = ("arrivals", "share", "offered/s", "answered/s", "refused/s", "lost", "p50, ms", "p99, ms", "mean, ms")
    return (
        f"Capacity {_median(whole, 'capacity_per_s'):,.0f} requests/s; at one connection "
        f"{_median(whole, 'calm_p50_ms'):.2f} ms.\n\n" + table((*titles, "CPU, us"), rows)
    )


def _limits(results: Figures) -> Iterator[str]:
    """Yield a sentence for each limit."""
    service, limits, drawing = results["services"]["1"], results["limits"], results["drawing"]
    whole = service["whole"]
    for arrivals, words in ARRIVALS.items():
        if (best := served(service, arrivals)) is None:
            yield f"Processor: with {words}, at no share is p99 at most {P99_MS:g} ms and nothing refused."
            continue
        share, row = best
        per_s = _median(row, "answered_per_s")
        as_drawings = f", {per_s / drawing['mean_requests']:.1f} drawings" if arrivals == "drawings" else ""
        yield (
            f"Processor: with {words}, the largest measured rate with p99 of at most {P99_MS:g} ms and nothing refused "
            f"is {per_s:,.0f} requests{as_drawings} a second, {share} of the capacity."
        )
    rounds = zip(whole["capacity_per_s"], whole["capacity_cpu_us"], strict=True)
    busy = [1e-6 * per_s * cpu_us for per_s, cpu_us in rounds]
    yield (
        f"A request takes {_median(whole, 'calm_cpu_us'):,.0f} us of the processor alone and "
        f"{_median(whole, 'capacity_cpu_us'):,.0f} us under full load, when it shares its run with others. "
        f"The service then had {spread(busy)} of its core's time. Where that is less than 1, something else ran on "
        "it or the generator was too slow, and the capacity is a lower bound."
    )
    share, row = list(service["requests"].items())[-1]
    yield (
        f"Admission: of {_median(row, 'offered_per_s'):,.0f} a second, {share} of the capacity, "
        f"{_median(row, 'answered_per_s'):,.0f} are answered and {_median(row, 'refused_per_s'):,.0f} refused at once. "
        f"p99 of those answered is {_median(row, 'p99_ms'):,.0f} ms."
    )
    connection_kb = max(0.0, _median(whole, "connection_kb"))
    yield (
        f"Connections: {limits['max_connections']:,.0f} a worker. One takes {connection_kb:.1f} kB, all of them "
        f"{connection_kb * limits['max_connections'] / 1e3:.0f} MB. A visitor's is kept for "
        f"{limits['idle_timeout_s']:g} s after its last answer."
    )
    bodies_mb = min(limits["max_bodies_bytes"], limits["max_connections"] * drawing["body_bytes"]) / 1e6
    yield (
        f"Memory: {_median(whole, 'memory_mb'):.0f} MB after the load, with two workers "
        f"{_median(results['services']['2']['whole'], 'memory_mb'):.0f} MB in all. Canvases that wait add at most "
        f"{bodies_mb:.0f} MB, one for each connection."
    )


def _replicas(results: Figures) -> str:
    """Return a table of the replicas for many drawings, with one request per frame and with one per drawing."""
    drawing, limits, service = results["drawing"], results["limits"], results["services"]["1"]
    drawings_per_s = DRAWINGS_PER_HOUR / 3600
    columns = []
    for arrivals, n_requests in (("drawings", drawing["mean_requests"]), ("requests", 1.0)):
        if (best := served(service, arrivals)) is None:
            return f"Nothing follows: at no measured rate is p99 at most {P99_MS:g} ms and nothing refused."
        requests_per_s = drawings_per_s * n_requests
        by_processor = replicas(requests_per_s, _median(best[1], "answered_per_s"), HEADROOM)
        # Little's law: arrivals per second times the time for which each keeps its connection.
        n_open = drawings_per_s * (n_requests * drawing["frame_s"] + limits["idle_timeout_s"])
        by_connections = replicas(n_open, limits["max_connections"], HEADROOM)
        n_needed = max(by_processor, by_connections)
        columns.append(
            (
                f"{n_requests:.1f}",
                f"{requests_per_s:,.0f}",
                f"{requests_per_s * drawing['body_bytes'] / 1e6:,.0f}",
                f"{by_processor:,}",
                f"{n_open:,.0f}",
                f"{by_connections:,}",
                f"**{n_needed:,}**",
                f"{n_needed * _median(service['whole'], 'memory_mb') / 1e3:,.1f}",
            )
        )
    names = (
        "requests a drawing",
        "requests/s",
        "bodies, MB/s",
        "replicas for the processor",
        "open connections",
        "replicas for the connections",
        "replicas, one core each",
        "their memory, GB",
    )
    return (
        f"Spread evenly over the hour and over the replicas, each one worker on a core of this kind, with p99 of at "
        f"most {P99_MS:g} ms and {100 * HEADROOM:g} % of what a replica serves kept as headroom. The page asks while "
        "the pen moves; a client that sends a drawing when it is done asks once. Every drawing is taken to be another "
        "visitor's on a connection of its own, which is kept open until it times out: a proxy that shares connections, "
        "or a shorter `--idle-timeout-s`, does away with that.\n\n"
        + table(("", "while it is drawn", "when it is done"), zip(names, *columns, strict=True))
    )


def replicas(needed: float, served: float, headroom: float) -> int:
    """Return the number of replicas that serve `served` each, with a share `headroom` (0 to 1) kept free."""
    return math.ceil(needed / (served * (1 - headroom)))
