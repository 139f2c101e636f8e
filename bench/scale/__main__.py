"""How far the service scales: canvas drawings at rates that it has no say in, against one worker and two.

python -m bench.scale [--seconds 2] [--rounds 3]

In each round either service is started anew, its capacity is measured in a closed loop, and shares of that are offered
in an open loop, once as single requests and once as drawings. One worker has a core of its own, the load generator has
another. Two workers have both cores and share one with the generator. Pendigits must have been downloaded, for how
often a drawing asks (`dvc repro download`).
"""

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile
from typing import Any

from bench import RESULTS, origin, service_origin
from bench.arrivals import FRAME_S, drawings, poisson, requests_of
from bench.load import Outcome, ask, open_loop
from bench.peers import OURS
from bench.peers.jobs import SIDE_PX, raw_canvas
from bench.peers.server import CLIENT_CORE, SERVER_CORE, Figures, PeerError, Server, build, measure, running, set_up
from bench.peers.table import PEERS
from bench.rounds import by_figure
from bench.scale.plot import PLOT, overview
from bench.scale.section import section
from bench.scale.theory import waits_s
from pipeline.base.errors import DataError
from pipeline.base.figures import save_figure
from pipeline.base.files import read_arrays, write_json
from pipeline.base.paths import RAW
from pipeline.config.values import load_config
from pipeline.sources.unipen import unpack
from serving.http.admission import BURST_S, N_SHORT, OVERLOAD_S
from serving.http.connection import MAX_BODIES_BYTES
from serving.settings import Settings

WORKERS = (1, 2)
SHARES = (0.2, 0.5, 0.8, 0.95, 1.2)  # of the capacity
N_CONNECTIONS = 256  # kept alive, more than are ever answered at a time
N_CLOSED = 16  # connections a worker, that keep it busy in the closed loop
N_HELD = 500  # connections that are opened to see what one takes

CANVAS = raw_canvas("/api/predict")
SERVICE = replace(next(peer for peer in PEERS if peer.name == OURS), forms=(CANVAS,))


def compare(n_requests: Sequence[int], n_rounds: int, seconds: float) -> dict[str, Any]:
    """Figures of all rounds, a list of one value a round for each; by workers, arrivals and share of the capacity.

    Args:
        n_requests: of drawings.
        n_rounds: how often everything is measured.
        seconds: of each load.

    Raises:
        PeerError: the service can't be measured.
    """
    build(SERVICE)
    services: dict[str, Any] = {str(n): {"whole": [], "requests": {}, "drawings": {}} for n in WORKERS}
    for number in range(n_rounds):
        for n_workers in WORKERS[:: -1 if number % 2 else 1]:
            print(f"round {number + 1} of {n_rounds}: {n_workers} worker{'s' if n_workers > 1 else ''}", flush=True)
            peer = replace(
                SERVICE,
                name=f"{OURS}, {n_workers} workers",
                command=f"{SERVICE.command} --workers {n_workers}",
                environment=OURS,
            )
            cores = (SERVER_CORE, CLIENT_CORE)[:n_workers]
            with running(peer, cores) as server:
                visit(server, n_workers, n_requests, seconds, number, services[str(n_workers)])
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


def visit(
    server: Server, n_workers: int, n_requests: Sequence[int], seconds: float, seed: int, figures: dict[str, Any]
) -> None:
    """Measure a service: its capacity, what it does with shares of it, and what the queue model says of the same.

    Args:
        server: that has been started.
        n_workers: of it.
        n_requests: of drawings.
        seconds: of each load.
        seed: of the arrivals.
        figures: where those of this round are added.

    Raises:
        PeerError: in the closed loop not all requests were answered, or in the open loop none.
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
            waits = waits_s(due, n_workers / capacity, n_workers, own_seed)
            model = Outcome(seconds, {200: (1e-3 * calm["p50_ms"] + waits).tolist()})
            row |= {f"model_p{percent}_ms": 1e3 * model.percentile(percent) for percent in (50, 99)}
            figures[name].setdefault(str(share), []).append(row)
            if row["refused_per_s"]:
                time.sleep(2 * OVERLOAD_S)  # until the service has forgotten it
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
    """What becomes of requests that are due at these times, and what they cost.

    Raises:
        PeerError: none was due, or not one was answered.
    """
    if not due:
        raise PeerError(f"no drawing began in {seconds:g} s: give more with --seconds")
    before_s = _cpu_s(server)
    outcome = open_loop(server.address, CANVAS.request, due, N_CONNECTIONS, seconds, warm_up_s=0)
    cpu_s = [after_s - before_s.get(pid, 0.0) for pid, after_s in _cpu_s(server).items()]
    statuses, latencies = outcome.statuses, outcome.latencies.get(200, [])
    if not latencies:
        raise PeerError(f"of {len(due)} requests none was answered: {dict(statuses)}, {outcome.n_lost} lost")
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
    """Processor time so far of each of its processes, in seconds, by number."""
    return {process.pid: sum(process.cpu_times()[:2]) for process in server.tree()}


def connection_bytes(server: Server) -> float:
    """Memory that an open connection takes, on average, in bytes."""
    ask(server.address, CANVAS.request)
    before_mb = server.memory_mb()
    with ExitStack() as held:
        for _ in range(N_HELD):
            held.enter_context(socket.create_connection(server.address))
        ask(server.address, CANVAS.request)  # they are taken in turn
        return 1e6 * (server.memory_mb() - before_mb) / N_HELD


def limits() -> dict[str, float]:
    """What the service allows itself, by default."""
    settings = Settings()
    return {
        "max_connections": settings.max_connections,
        "idle_timeout_s": settings.idle_timeout_s,
        "max_waiting": settings.max_waiting,
        "max_bodies_bytes": MAX_BODIES_BYTES,
        "n_short": N_SHORT,
        "burst_s": BURST_S,
        "overload_s": OVERLOAD_S,
    }


def main() -> None:
    """Print what is to be said; write bench/results/scale.json and docs/scale.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    arguments = parser.parse_args()
    try:
        # Of the writers that are trained on: the others are kept for the test.
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
