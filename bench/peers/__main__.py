"""The service and its peers: the same network from the same file, driven by the same load.

python -m bench.peers [--only NAME ...] [--seconds 1] [--rounds 5]

Each peer is installed into an environment of its own below outputs/peers, the first time. In each round each is
started, measured in every form that it takes, and stopped. A row is of the round that answered most: what else the
machine does only ever slows, for minutes at times. All of a server's processes are on one core, the load generator is
on another. The floor is an ASGI application that answers a constant on the service's own server.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from bench import RESULTS, origin
from bench.load import ask, closed
from bench.peers import FLOOR, OURS
from bench.peers.jobs import DIGIT, TENSOR, Form, digit_of
from bench.peers.plot import PLOT, overview
from bench.peers.server import CLIENT_CORE, PeerError, Server, build, running
from bench.peers.table import PEERS, Peer
from pipeline.config import load_config
from pipeline.data import write_json
from pipeline.paths import Outputs
from pipeline.plots import save_figure
from serving.predictor import Predictor

CONNECTIONS = (1, 16)
WARM_UP_S = 0.3
N_RUNS = 2000

Figures = dict[str, float]
Row = tuple[str, str, str, int]  # peer, job, form, connections


def measure(server: Server, form: Form, n_connections: int, seconds: float) -> Figures:
    """Latency, requests per second and processor time per request, under load.

    Raises:
        PeerError: not all requests were answered with 200.
    """
    closed(server.address, form.request, n_connections, WARM_UP_S, warm_up_s=0)
    cpu_s = server.cpu_s()
    outcome = closed(server.address, form.request, n_connections, seconds, warm_up_s=0)
    cpu_s = server.cpu_s() - cpu_s
    n_requests = outcome.statuses[200]
    if outcome.n_lost or outcome.n_refused or set(outcome.statuses) != {200}:
        raise PeerError(f"of its answers only {n_requests} are good: {dict(outcome.statuses)}, {outcome.n_lost} lost")
    return {
        "p50_ms": 1e3 * outcome.percentile(50),
        "p99_ms": 1e3 * outcome.percentile(99),
        "requests_per_s": outcome.rate(),
        "cpu_us": 1e6 * cpu_s / n_requests,
    }


def visit(peer: Peer, seconds: float, rows: dict[Row, list[Figures]], failed: dict[str, str]) -> Figures:
    """Start a peer, measure it in each of its forms, and stop it.

    Args:
        peer: which.
        seconds: of load, for each form and number of connections.
        rows: where the figures are added.
        failed: why a form can't be measured, by peer and form.

    Returns:
        Its memory after all that, in MB, and its time to start, in seconds.
    """
    with running(peer) as server:
        for form in peer.forms:
            try:
                if (digit := digit_of(ask(server.address, form.request))) != DIGIT:
                    raise PeerError(f"it reads {digit} where {DIGIT} is drawn")
                for n_connections in CONNECTIONS:
                    figures = measure(server, form, n_connections, seconds)
                    rows.setdefault((peer.name, form.job, form.name, n_connections), []).append(figures)
            except (PeerError, OSError, ValueError) as error:
                failed[f"{peer.name}, {form.job} as {form.name}"] = str(error)
        return {"start_s": server.start_s, "memory_mb": server.memory_mb()}


def run_cpu_us() -> float:
    """Processor time of one run of the model file on the 28x28 image, in microseconds."""
    predictor = Predictor.load(Outputs().model)
    for _ in range(N_RUNS // 10):
        predictor.run(TENSOR)
    started = time.process_time()
    for _ in range(N_RUNS):
        predictor.run(TENSOR)
    return 1e6 * (time.process_time() - started) / N_RUNS


def least_disturbed(many: list[Figures], figure: str, best: Callable[..., Figures]) -> Figures:
    """The round that is best by a figure."""
    return {name: round(value, 3) for name, value in best(many, key=itemgetter(figure)).items()}


def compare(peers: list[Peer], n_rounds: int, seconds: float) -> dict[str, Any]:
    """All figures of all peers; those that fail are named with the reason."""
    rows: dict[Row, list[Figures]] = {}
    whole: dict[str, list[Figures]] = {}
    failed: dict[str, str] = {}
    runs_us = []
    for peer in peers:
        try:
            build(peer)
        except PeerError as error:
            failed[peer.name] = str(error)
    for number in range(n_rounds):
        runs_us.append(run_cpu_us())
        for peer in peers:
            if peer.name in failed:
                continue
            print(f"round {number + 1} of {n_rounds}: {peer.name}", flush=True)
            try:
                whole.setdefault(peer.name, []).append(visit(peer, seconds, rows, failed))
            except PeerError as error:
                failed[peer.name] = str(error)
    return {
        "run_cpu_us": round(min(runs_us), 1),
        "peers": {name: least_disturbed(figures, "start_s", min) for name, figures in whole.items()},
        "rows": [
            dict(zip(("peer", "job", "form", "connections"), row, strict=True))
            | least_disturbed(figures, "requests_per_s", max)
            for row, figures in rows.items()
        ],
        "failed": failed,
    }


def main() -> None:
    """Print a row for each measurement; write bench/results/peers.json and docs/peers.png, if all were measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[peer.name for peer in PEERS], help="these alone")
    parser.add_argument("--seconds", type=float, default=1.0, help="of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=5, help="how often each peer is measured")
    arguments = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("error: server and client need a core each, and this machine has one")
    os.sched_setaffinity(0, {CLIENT_CORE})
    peers = [peer for peer in PEERS if peer.name in (arguments.only or [peer.name for peer in PEERS])]
    results = compare(peers, arguments.rounds, arguments.seconds)
    print(
        f"{'peer':<14} {'job':<7} {'form':<15} {'conns':>5} {'p50, ms':>8} {'p99, ms':>8} {'req/s':>7} {'CPU, us':>8}"
    )
    for row in results["rows"]:
        print(
            f"{row['peer']:<14} {row['job']:<7} {row['form']:<15} {row['connections']:>5} {row['p50_ms']:>8.2f} "
            f"{row['p99_ms']:>8.2f} {row['requests_per_s']:>7.0f} {row['cpu_us']:>8.0f}"
        )
    for name, figures in results["peers"].items():
        print(f"{name:<14} start {figures['start_s']:.2f} s, memory {figures['memory_mb']:.0f} MB")
    print(f"session.run: {results['run_cpu_us']:.0f} us")
    for name, reason in results["failed"].items():
        print(f"FAILED: {name}: {reason}")
    if arguments.only:
        return
    versions = {peer.name: peer.requirements.split("\n")[0] for peer in PEERS if peer.name not in (OURS, FLOOR)}
    write_json(
        RESULTS / "peers.json", origin(load_config()) | {"rounds": arguments.rounds, "versions": versions} | results
    )
    save_figure(overview(results), PLOT)


if __name__ == "__main__":
    main()
