"""Compare the service with its peers: the same model file under the same load.

python -m bench.peers [--only NAME ...] [--seconds 1] [--rounds 5]

Each peer is installed once, into its own environment below outputs/peers. Each round starts every peer in turn,
measures it with every form of request, and stops it; the order alternates. Ratios are computed within a round, and the
report shows their medians. All processes of a server run on one core, and the load generator runs on another. The
"floor" is an ASGI application that returns a constant, on the same HTTP server as the service.
"""

import argparse
import os
import sys
import time
from typing import Any

import numpy as np
import psutil

from bench import RESULTS, origin, service_origin
from bench.load import ask
from bench.peers import FLOOR, OURS
from bench.peers.jobs import DIGIT, TENSOR, digit_of
from bench.peers.plot import PLOT, overview
from bench.peers.section import section
from bench.peers.server import (
    CLIENT_CORE,
    CONNECTIONS,
    SERVER_CORE,
    Figures,
    PeerError,
    Server,
    build,
    measure,
    running,
    set_up,
)
from bench.peers.table import PEERS, Peer
from bench.rounds import by_figure
from pipeline.base.figures import save_figure
from pipeline.base.files import write_json
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from serving.model.predictor import Predictor

N_RUNS = 1000
RUN_IMAGES = (1, 16)

Key = tuple[str, str, str, bool, int]
KEY = ("peer", "job", "form", "is_tuned", "connections")


def measure_forms(
    peer: Peer, server: Server, seconds: float, rows: dict[Key, list[Figures]], failed: dict[str, str]
) -> None:
    """Measure a server with each form of request.

    Args:
        peer: the peer.
        server: its running server.
        seconds: seconds of load for each form and number of connections.
        rows: receives the figures.
        failed: for each form that cannot be measured, the reason. These forms are skipped.

    Raises:
        PeerError: the service or the floor cannot be measured.
    """
    for form in (*peer.forms, *peer.tuned_forms):
        name = f"{peer.name}, {form.job} as {form.name}"
        if name in failed:
            continue
        try:
            if (digit := digit_of(ask(server.address, form.request))) != DIGIT:
                raise PeerError(f"it answers {digit} for a picture of {DIGIT}")
            measured = {n: measure(server, form.request, n, seconds) for n in CONNECTIONS}
        except (PeerError, OSError, ValueError, psutil.Error) as error:
            record_failure(peer, name, error, failed)
            continue
        for n_connections, figures in measured.items():
            key = peer.name, form.job, form.name, form in peer.tuned_forms, n_connections
            rows.setdefault(key, []).append(figures)


def record_failure(peer: Peer, name: str, error: Exception, failed: dict[str, str]) -> None:
    """Record why a peer or one of its forms cannot be measured.

    Raises:
        PeerError: the peer is the service or the floor, which every comparison needs.
    """
    if peer.name in (OURS, FLOOR):
        raise PeerError(f"{name}: {error}") from error
    failed[name] = str(error)


def run_cpu_us(n_images: int) -> float:
    """Return the processor time of a run with `n_images` of 28x28 pixels, per image, in microseconds."""
    predictor = Predictor.load(Outputs().model)
    images = np.repeat(TENSOR, n_images, axis=0)
    n_runs = N_RUNS // n_images
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        for _ in range(n_runs // 10):
            predictor.run(images)
        started = time.process_time()
        for _ in range(n_runs):
            predictor.run(images)
        return 1e6 * (time.process_time() - started) / (n_runs * n_images)
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})


def compare(peers: list[Peer], n_rounds: int, seconds: float) -> dict[str, Any]:
    """Return the figures of all forms that were measured in every round, and the reasons for the other forms.

    Raises:
        PeerError: the service or the floor cannot be measured.
    """
    rows: dict[Key, list[Figures]] = {}
    whole: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    runs: list[Figures] = []
    failed: dict[str, str] = {}
    for peer in peers:
        try:
            build(peer)
        except PeerError as error:
            record_failure(peer, peer.name, error, failed)
    for number in range(n_rounds):
        runs.append({str(n_images): run_cpu_us(n_images) for n_images in RUN_IMAGES})
        for peer in peers[:: -1 if number % 2 else 1]:
            if peer.name in failed:
                continue
            print(f"round {number + 1} of {n_rounds}: {peer.name}", flush=True)
            try:
                with running(peer) as server:
                    measure_forms(peer, server, seconds, rows, failed)
                    whole[peer.name].append({"start_s": server.start_s, "memory_mb": server.memory_mb()})
            except (PeerError, psutil.Error) as error:
                record_failure(peer, peer.name, error, failed)
    return {
        "run_cpu_us": by_figure(runs),
        "peers": {name: by_figure(rounds) for name, rounds in whole.items() if len(rounds) == n_rounds},
        "rows": [
            dict(zip(KEY, key, strict=True)) | by_figure(rounds)
            for key, rounds in sorted(rows.items(), key=lambda item: [peer.name for peer in peers].index(item[0][0]))
            if len(rounds) == n_rounds
        ],
        "failed": failed,
    }


def main() -> None:
    """Print the report section. Without --only, write bench/results/peers.json and docs/peers.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [peer.name for peer in PEERS if peer.name not in (OURS, FLOOR)]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help="measure only these peers")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds")
    arguments = parser.parse_args()
    peers = [peer for peer in PEERS if peer.name in (OURS, FLOOR, *(arguments.only or names))]
    try:
        set_up()
        measured = compare(peers, arguments.rounds, arguments.seconds)
    except PeerError as error:
        sys.exit(f"error: {error}")
    versions = {peer.name: peer.requirements.split("\n")[0] for peer in peers if peer.name in names}
    results = origin(load_config()) | service_origin() | {"versions": versions} | measured
    print(section(results))
    if not arguments.only:
        write_json(RESULTS / "peers.json", results)
        save_figure(overview(results), PLOT)


if __name__ == "__main__":
    main()
