"""Measure the service under open-loop load, with one and with two workers.

python -m bench.scale [--seconds 2] [--rounds 3]

Each round starts each service and measures its capacity in a closed loop. Then it sends shares of this capacity in an
open loop, as single requests and as drawings. One worker and the load generator have a core each. Two workers use both
cores and share one with the generator. The number of requests per drawing comes from Pendigits (`dvc repro download`).
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile
from typing import Any

from bench import RESULTS, origin, service_origin
from bench.arrivals import FRAME_S, drawings, poisson, requests_of
from bench.load import ask, open_loop
from bench.peers import OURS, table
from bench.peers.jobs import SIDE_PX, raw_canvas
from bench.peers.server import CLIENT_CORE, SERVER_CORE, Figures, PeerError, Server, build, measure, running, set_up
from bench.rounds import by_figure
from bench.scale.plot import PLOT, overview
from bench.scale.section import section, workers
from pipeline.base.errors import DataError
from pipeline.base.figures import save_figure
from pipeline.base.files import read_arrays, write_json
from pipeline.base.paths import RAW
from pipeline.config.values import load_config
from pipeline.sources.unipen import unpack
from serving.http.connection import MAX_BODIES_BYTES
from serving.settings import Settings

WORKERS = (1, 2)
SHARES = (0.2, 0.5, 0.8, 0.95, 1.2)  # shares of the capacity
N_CONNECTIONS = 256  # connections kept alive; more than the service ever answers at a time
N_CLOSED = 16  # connections per worker that keep it busy in the closed loop
N_HELD = 500  # connections that are opened to measure the memory of one

CANVAS = raw_canvas("/api/predict")
SERVICE = replace(table.SERVICE, forms=(CANVAS,))


def compare(n_requests: Sequence[int], n_rounds: int, seconds: float) -> dict[str, Any]:
    """Return the figures by workers, arrivals and share of the capacity, with one value per round.

    Args:
        n_requests: numbers of requests of drawings.
        n_rounds: number of rounds.
        seconds: seconds of each load.

    Raises:
        PeerError: the service cannot be measured.
    """
    build(SERVICE)
    services: dict[str, Any] = {str(n): {"whole": [], "requests": {}, "drawings": {}} for n in WORKERS}
    for number in range(n_rounds):
        for n_workers in WORKERS[:: -1 if number % 2 else 1]:
            print(f"round {number + 1} of {n_rounds}: {workers(n_workers)}", flush=True)
            peer = replace(
                SERVICE,
                name=f"{OURS}, {workers(n_workers)}",
                command=f"{SERVICE.command} --workers {n_workers}",
                environment=OURS,
            )
            cores = (SERVER_CORE, CLIENT_CORE)[:n_workers]
            with running(peer, cores) as server:
                measure_service(server, n_workers, n_requests, seconds, number, services[str(n_workers)])
    return {
        n_workers: {
            "whole": by_figure(figures["whole"]),
            **{
                arrivals: {share: by_figure(rounds) for share, rounds in figures[arrivals].items()}
                for arrivals in ("requests", "drawings")
            },
        }
        for n_workers, figures in services.items()
    }


def measure_service(
    server: Server, n_workers: int, n_requests: Sequence[int], seconds: float, seed: int, figures: dict[str, Any]
) -> None:
    """Measure the capacity of a service and its behaviour at shares of it.

    Args:
        server: the running server.
        n_workers: number of its workers.
        n_requests: numbers of requests of drawings.
        seconds: seconds of each load.
        seed: seed of the arrivals.
        figures: receives the figures of this round.

    Raises:
        PeerError: some requests of the closed loop, or all of the open loop, were not answered.
    """
    connection_kb = connection_bytes(server) / 1e3
    full = measure(server, CANVAS.request, N_CLOSED * n_workers, seconds)
    calm = measure(server, CANVAS.request, 1, seconds)
    capacity = full["requests_per_s"]
    for index, share in enumerate(SHARES):
        rate, own_seed = share * capacity, seed * len(SHARES) + index
        loads = {"requests": poisson(rate, own_seed), "drawings": drawings(rate, n_requests, own_seed)}
        for name, arrivals in loads.items():
            due = list(takewhile(lambda due_s: due_s < seconds, arrivals))
            row = offer(server, due, seconds)
            figures[name].setdefault(str(share), []).append(row)
    figures["whole"].append(
        {
            "capacity_per_s": capacity,
            "capacity_cpu_us": full["cpu_us"],
            "calm_p50_ms": calm["p50_ms"],
            "calm_cpu_us": calm["cpu_us"],
            "memory_mb": server.memory_mb(),
            "connection_kb": connection_kb,
        }
    )


def offer(server: Server, due: Sequence[float], seconds: float) -> Figures:
    """Send requests at these times, and return their results and cost.

    Raises:
        PeerError: no request was due, or none was answered.
    """
    if not due:
        raise PeerError(f"no drawing began in {seconds:g} s: give more with --seconds")
    before_s = _cpu_s(server)
    outcome = open_loop(server.address, CANVAS.request, due, N_CONNECTIONS, seconds, warm_up_s=0)
    cpu_s = [after_s - before_s.get(pid, 0.0) for pid, after_s in _cpu_s(server).items()]
    statuses, latencies = outcome.statuses, outcome.latencies.get(200, [])
    if not latencies:
        raise PeerError(f"none of {len(due)} requests was answered: {dict(statuses)}, {outcome.n_lost} lost")
    return {
        "offered_per_s": len(due) / seconds,
        "answered_per_s": outcome.rate(200),
        "refused_per_s": outcome.rate(503),
        "lost": outcome.n_lost + outcome.n_refused + statuses.total() - statuses[200] - statuses[503],
        "p50_ms": 1e3 * outcome.percentile(50),
        "p99_ms": 1e3 * outcome.percentile(99),
        "mean_ms": 1e3 * sum(latencies) / len(latencies),
        "cpu_us": 1e6 * sum(cpu_s) / len(latencies),
        "busiest_share": max(cpu_s) / sum(cpu_s),
    }


def _cpu_s(server: Server) -> dict[int, float]:
    """Return the processor time of each process so far, in seconds, by process ID."""
    return {process.pid: sum(process.cpu_times()[:2]) for process in server.tree()}


def connection_bytes(server: Server) -> float:
    """Return the mean memory of an open connection, in bytes."""
    ask(server.address, CANVAS.request)
    before_mb = server.memory_mb()
    with ExitStack() as held:
        for _ in range(N_HELD):
            held.enter_context(socket.create_connection(server.address))
        ask(server.address, CANVAS.request)  # connections are accepted in order, so all are open now
        return 1e6 * (server.memory_mb() - before_mb) / N_HELD


def limits() -> dict[str, float]:
    """Return the default limits of the service."""
    settings = Settings()
    return {
        "max_connections": settings.max_connections,
        "idle_timeout_s": settings.idle_timeout_s,
        "max_bodies_bytes": MAX_BODIES_BYTES,
    }


def main() -> None:
    """Print the report section, and write bench/results/scale.json and docs/scale.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds")
    arguments = parser.parse_args()
    try:
        # Only training writers: the others are for the test.
        n_requests = [requests_of(one) for one in unpack(read_arrays(RAW / "pendigits-train.npz", "download"))]
        set_up()
        services = compare(n_requests, arguments.rounds, arguments.seconds)
    except (DataError, PeerError) as error:
        sys.exit(f"error: {error}")
    drawing = {
        "n_drawings": len(n_requests),
        "mean_requests": round(sum(n_requests) / len(n_requests), 3),
        "frame_s": FRAME_S,
        "body_bytes": SIDE_PX**2,
    }
    measured = {"seconds": arguments.seconds, "drawing": drawing, "limits": limits(), "services": services}
    results = origin(load_config()) | service_origin() | measured
    print(section(results))
    write_json(RESULTS / "scale.json", results)
    save_figure(overview(results), PLOT)


if __name__ == "__main__":
    main()
