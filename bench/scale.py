"""Measure the service under open-loop load, with one and with two workers.

python -m bench.scale [--seconds 2] [--rounds 3]

Each round starts each service and measures its capacity in a closed loop. Then it sends shares of this capacity in an
open loop, as single requests and as drawings. One worker and the load generator have a core each. Two workers use both
cores and share one with the generator. The number of requests per drawing comes from Pendigits (`dvc repro download`).
"""

import argparse
import math
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from bench import begin
from bench.jobs import json_strokes
from bench.load import ask, open_loop
from bench.peers import OURS, table
from bench.rounds import by_figure, ratio, spread
from bench.server import CLIENT_CORE, SERVER_CORE, Figures, Server, ServerError, measure, set_up
from pipeline.base import markdown
from pipeline.base.errors import DataError
from pipeline.base.files import read_arrays
from pipeline.base.paths import RAW
from pipeline.sources.unipen import Drawing, unpack
from serving.settings import Settings

FRAME_S = 1 / 60  # most screens
WORKERS = (1, 2)
SHARES = (0.2, 0.5, 0.8, 0.95, 1.2)  # shares of the capacity
N_CONNECTIONS = 256  # connections kept alive; more than the service ever answers at a time
N_CLOSED = 16  # connections per worker that keep it busy in the closed loop
N_HELD = 500  # connections that are opened to measure the memory of one
# An answer within a tenth of a second seems immediate; half of this time is left for the network and the browser.
P99_MS = 50.0
# Share of the capacity that is kept free: for peaks within the hour, uneven balancing, and a replica that restarts.
HEADROOM = 0.3
DRAWINGS_PER_HOUR = 1_000_000

DRAWING = json_strokes("/api/predict")
COLUMNS = {
    "offered/s": ("offered_per_s", 0), "answered/s": ("answered_per_s", 0), "refused/s": ("refused_per_s", 0),
    "lost": ("lost", 0), "p50, ms": ("p50_ms", 1), "p99, ms": ("p99_ms", 1), "CPU, us": ("cpu_us", 0),
}  # fmt: skip
ARRIVALS = {"requests": "single requests", "drawings": "drawings"}


def requests_of(drawing: Drawing) -> int:
    """Return the number of requests for a drawing: one per point at which the pen has moved.

    The real page waits for each answer, so it sends fewer requests if an answer takes longer than a frame. This is not
    modelled, because it would hide a slow service.
    """
    return sum(1 + int(np.diff(stroke, axis=0).any(axis=1).sum()) for stroke in drawing.strokes)


def arrivals(rate: float, n_requests: Sequence[int], seconds: float, seed: int) -> list[float]:
    """Return the arrival times of drawings that begin independently and send one request per frame.

    Args:
        rate: requests per second, on average.
        n_requests: the number of requests of each possible drawing; all are equally likely.
        seconds: time in which they arrive.
        seed: seed for the start times and for the choice of drawings.
    """
    rng, longest_s = np.random.default_rng(seed), max(n_requests) * FRAME_S
    # Begin early enough to include every drawing that is unfinished at 0 s.
    n_drawings = rng.poisson(rate / np.mean(n_requests) * (longest_s + seconds))
    begins, lengths = rng.uniform(-longest_s, seconds, n_drawings), rng.choice(n_requests, n_drawings)
    due = np.concatenate([[], *(begin_s + FRAME_S * np.arange(n) for begin_s, n in zip(begins, lengths, strict=True))])
    return np.sort(due[(due >= 0) & (due < seconds)]).tolist()


def compare(n_requests: Sequence[int], n_rounds: int, seconds: float) -> dict[str, Any]:
    """Return the figures by workers, arrivals and share of the capacity, with one value per round.

    Raises:
        ServerError: the service cannot be measured.
    """
    table.SERVICE.build()
    rounds: dict[tuple[str, ...], list[Figures]] = {}
    for number in range(n_rounds):
        for n_workers in WORKERS[:: -1 if number % 2 else 1]:
            print(f"round {number + 1} of {n_rounds}: {workers(n_workers)}", flush=True)
            command = f"{table.SERVICE.command} --workers {n_workers}"
            peer = replace(table.SERVICE, command=command, forms=(DRAWING,), environment=OURS)
            with peer.running((SERVER_CORE, CLIENT_CORE)[:n_workers]) as server:
                for key, figures in measure_service(server, n_workers, n_requests, seconds, number):
                    rounds.setdefault((str(n_workers), *key), []).append(figures)
    services: dict[str, Any] = {str(n): {"requests": {}, "drawings": {}} for n in WORKERS}
    for (name, kind, *share), measured in rounds.items():
        (services[name][kind] if share else services[name])[share[0] if share else kind] = by_figure(measured)
    return services


def measure_service(
    server: Server, n_workers: int, n_requests: Sequence[int], seconds: float, number: int
) -> Iterator[tuple[tuple[str, ...], Figures]]:
    """Yield the figures of a service as a whole, and at shares of its capacity.

    Raises:
        ServerError: some requests of the closed loop, or all of the open loop, were not answered.
    """
    connection_kb = connection_bytes(server) / 1e3
    full = measure(server, DRAWING.request, N_CLOSED * n_workers, seconds)
    calm = measure(server, DRAWING.request, 1, seconds)
    capacity = full["requests_per_s"]
    for index, share in enumerate(SHARES):
        for name, numbers in {"requests": [1], "drawings": n_requests}.items():
            due = arrivals(share * capacity, numbers, seconds, number * len(SHARES) + index)
            yield (name, str(share)), offer(server, due, seconds)
    whole = {"capacity_per_s": capacity, "capacity_cpu_us": full["cpu_us"], "memory_mb": server.memory_mb()}
    yield (
        ("whole",),
        whole | {f"calm_{name}": calm[name] for name in ("p50_ms", "cpu_us")} | {"connection_kb": connection_kb},
    )


def offer(server: Server, due: Sequence[float], seconds: float) -> Figures:
    """Send requests at these times, and return their results and cost.

    Raises:
        ServerError: none was answered.
    """
    before_s = server.cpu_s()
    outcome = open_loop(server.address, DRAWING.request, due, N_CONNECTIONS, seconds)
    cpu_s = [after_s - before_s.get(pid, 0.0) for pid, after_s in server.cpu_s().items()]
    statuses = outcome.statuses
    if not statuses[200]:
        raise ServerError(f"none of {len(due)} requests was answered: {dict(statuses)}, {outcome.n_lost} lost")
    return {
        "offered_per_s": len(due) / seconds,
        "answered_per_s": outcome.rate(),
        "refused_per_s": outcome.rate(503),
        "lost": outcome.n_failed - statuses[503],
        "p50_ms": 1e3 * outcome.percentile(50),
        "p99_ms": 1e3 * outcome.percentile(99),
        "cpu_us": 1e6 * sum(cpu_s) / statuses[200],
        "busiest_share": max(cpu_s) / sum(cpu_s),
    }


def connection_bytes(server: Server) -> float:
    """Return the mean memory of an open connection, in bytes."""
    ask(server.address, DRAWING.request)
    before_mb = server.memory_mb()
    with ExitStack() as held:
        for _ in range(N_HELD):
            held.enter_context(socket.create_connection(server.address))
        ask(server.address, DRAWING.request)  # connections are accepted in order, so all are open now
        return 1e6 * (server.memory_mb() - before_mb) / N_HELD


def workers(n_workers: int | str) -> str:
    """Return the number with its noun."""
    return f"{n_workers} worker{'s' * (str(n_workers) != '1')}"


def served(service: Mapping[str, Any], kind: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the largest share of the capacity with p99 within its limit and no refused request, and its figures.

    Return None if there is no such share.
    """
    best = None
    for share, row in service[kind].items():
        if _median(row, "p99_ms") > P99_MS or max(row["refused_per_s"]) or max(row["lost"]):
            break
        best = share, row
    return best


def replicas(needed: float, served: float) -> int:
    """Return the number of replicas that serve `served` each, with `HEADROOM` kept free."""
    return math.ceil(needed / (served * (1 - HEADROOM)))


def _median(figures: Mapping[str, Any], name: str) -> float:
    return spread(figures[name]).median


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    drawing, services, origin = results["drawing"], results["services"], results["origin"]
    one, two = (services[n]["whole"] for n in ("1", "2"))
    busiest = [share for kind in ARRIVALS for row in services["2"][kind].values() for share in row["busiest_share"]]
    return (
        f"## Scale\n\n`{origin['command']}`, on {origin['cpu']}, {origin['n_cores']} cores. Pen strokes as the page "
        f"sends them, {drawing['request_bytes']:,} bytes with the head, on connections that are kept. The capacity is "
        "measured in a closed loop, and shares of it are offered in an open one: latency counts from when a request "
        "was due. *Single requests* arrive independently (Poisson). *Drawings* begin independently, and each asks once "
        f"a frame of {1e3 * drawing['frame_s']:.1f} ms, {drawing['mean_requests']:.1f} times on average: once for each "
        f"point of the {drawing['n_drawings']:,} drawings of Pendigits' training writers, which have no times. One "
        "worker has a core, and the load generator another. Two workers have both cores and **share one with the "
        f"generator**, so their figures are a lower bound. Medians over {len(one['capacity_per_s'])} rounds of "
        f"{results['seconds']:g} s a load; CPU is of each answer, with the cost of refusals.\n\n"
        + "".join(f"### {workers(n)}\n\n{_rates(service)}\n\n" for n, service in services.items())
        + f"Two workers have {ratio(two['capacity_per_s'], one['capacity_per_s'])} times the capacity of one, median "
        f"(least to largest). The busier one had {spread(busiest)} of their processor time.\n\n"
        "### What limits one worker\n\n" + "\n".join(f"- {sentence}" for sentence in _limits(results))
        + f"\n\n### {DRAWINGS_PER_HOUR:,} drawings an hour\n\n{_replicas(results)}"
    )  # fmt: skip


def _rates(service: Mapping[str, Any]) -> str:
    whole = service["whole"]
    rows = [
        (words, share, *(f"{_median(row, name):,.{places}f}" for name, places in COLUMNS.values()))
        for kind, words in ARRIVALS.items()
        for share, row in service[kind].items()
    ]
    return (
        f"Capacity {_median(whole, 'capacity_per_s'):,.0f} requests/s; at one connection "
        f"{_median(whole, 'calm_p50_ms'):.2f} ms.\n\n" + markdown.table(("arrivals", "share", *COLUMNS), rows)
    )


def _limits(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each limit."""
    service, limits = results["services"]["1"], results["limits"]
    whole = service["whole"]
    busy = [1e-6 * per_s * us for per_s, us in zip(whole["capacity_per_s"], whole["capacity_cpu_us"], strict=True)]
    yield (
        f"A request takes {_median(whole, 'calm_cpu_us'):,.0f} us of the processor at one connection and "
        f"{_median(whole, 'capacity_cpu_us'):,.0f} us under full load, when it shares its run with others. "
        f"The service then had {spread(busy)} of its core's time."
    )
    connection_kb = max(0.0, _median(whole, "connection_kb"))
    yield (
        f"Connections: {limits['max_connections']:,.0f} a worker, of {connection_kb:.1f} kB each. A visitor's is kept "
        f"for {limits['idle_timeout_s']:g} s after its last answer."
    )
    yield (
        f"Memory: {_median(whole, 'memory_mb'):.0f} MB after the load, with two workers "
        f"{_median(results['services']['2']['whole'], 'memory_mb'):.0f} MB in all."
    )


def _replicas(results: Mapping[str, Any]) -> str:
    """Return a table of the replicas for many drawings, with one request per frame and with one per drawing."""
    drawing, limits, service = results["drawing"], results["limits"], results["services"]["1"]
    drawings_per_s = DRAWINGS_PER_HOUR / 3600
    rows = []
    for kind, n_requests in (("drawings", drawing["mean_requests"]), ("requests", 1.0)):
        if (best := served(service, kind)) is None:
            return f"Nothing follows: at no measured rate is p99 at most {P99_MS:g} ms and nothing refused."
        answered_per_s = _median(best[1], "answered_per_s")
        # Little's law: arrivals per second times the time for which each keeps its connection.
        n_open = drawings_per_s * (n_requests * drawing["frame_s"] + limits["idle_timeout_s"])
        needed = replicas(drawings_per_s * n_requests, answered_per_s), replicas(n_open, limits["max_connections"])
        rows.append((f"{n_requests:.1f}", f"{drawings_per_s * n_requests:,.0f}", f"{answered_per_s:,.0f}", best[0],
                     f"{needed[0]:,}", f"{n_open:,.0f}", f"{needed[1]:,}", f"**{max(needed):,}**"))  # fmt: skip
    columns = ("requests a drawing", "requests/s", "one worker serves/s", "share of its capacity",
               "replicas for the processor", "open connections", "replicas for these", "replicas")  # fmt: skip
    return (
        f"Spread evenly over the hour and over the replicas, each one worker on a core of this kind, with "
        f"{100 * HEADROOM:g} % of what it serves kept free. It serves the largest measured rate with p99 of at most "
        f"{P99_MS:g} ms and nothing refused. The page asks while the pen moves; a client that sends a finished drawing "
        "asks once. Every drawing is another visitor's, on a connection that is kept until it times out.\n\n"
        + markdown.table(columns, rows)
    )


def main() -> None:
    """Print the report section, and write bench/results/scale.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds")
    arguments = parser.parse_args()
    save = begin("scale")
    try:
        # Only training writers: the others are for the test.
        n_requests = [requests_of(one) for one in unpack(read_arrays(RAW / "pendigits-train.npz", "download"))]
        set_up()
        services = compare(n_requests, arguments.rounds, arguments.seconds)
    except (DataError, ServerError) as error:
        sys.exit(f"error: {error}")
    mean, settings = round(sum(n_requests) / len(n_requests), 3), Settings()
    drawing = {
        "n_drawings": len(n_requests),
        "mean_requests": mean,
        "frame_s": FRAME_S,
        "request_bytes": len(DRAWING.request),
    }
    limits = {name: getattr(settings, name) for name in ("max_connections", "idle_timeout_s")}
    print(section(save({"seconds": arguments.seconds, "drawing": drawing, "limits": limits, "services": services})))


if __name__ == "__main__":
    main()
