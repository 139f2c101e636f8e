"""Compare the service with its peers: the same model file under the same load.

python -m bench.peers [--only NAME ...] [--seconds 1] [--rounds 5]

Each peer is installed once, into its own environment below outputs/peers. Each round starts every peer in turn,
measures it with every form of request, and stops it; the order alternates. Ratios are computed within a round, and the
report shows their medians. All processes of a server run on one core, and the load generator runs on another. The
"floor" is an ASGI application that runs the model for each request and does nothing else.
"""

import argparse
import sys
from collections import defaultdict
from typing import Any

import psutil

from bench import begin
from bench.peers import FLOOR, OURS
from bench.peers.section import PLOT, plot, section
from bench.peers.table import PEERS, Peer
from bench.rounds import by_figure
from bench.server import Figures, ServerError, measure, set_up
from pipeline.base.figures import save_figure

CONNECTIONS = (1, 16, 64, 256)
KEY = ("peer", "job", "form", "connections")
Rows = defaultdict[tuple[str, str, str, int], list[Figures]]


def measure_peer(peer: Peer, seconds: float, rows: Rows) -> Figures:
    """Start a peer, add the figures of each form and number of connections to `rows`, and return those of the whole.

    Raises:
        ServerError: it cannot be installed, started or measured.
    """
    peer.build()
    with peer.running() as server:
        for form in peer.forms:
            for n_connections in CONNECTIONS:
                figures = measure(server, form.request, n_connections, seconds)
                rows[peer.name, form.job, form.name, n_connections].append(figures)
        return {"start_s": server.start_s, "memory_mb": server.memory_mb()}


def compare(peers: list[Peer], n_rounds: int, seconds: float) -> dict[str, Any]:
    """Return the figures that were measured in every round, and for each peer that failed the reason.

    Raises:
        ServerError: the service or the floor cannot be measured.
    """
    rows: Rows = defaultdict(list)
    whole: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    failed: dict[str, str] = {}
    for number in range(n_rounds):
        for peer in peers[:: -1 if number % 2 else 1]:
            if peer.name in failed:
                continue
            print(f"round {number + 1} of {n_rounds}: {peer.name}", flush=True)
            try:
                whole[peer.name].append(measure_peer(peer, seconds, rows))
            except (ServerError, OSError, EOFError, psutil.Error) as error:
                if peer.name in (OURS, FLOOR):
                    raise ServerError(f"{peer.name}: {error}") from error
                failed[peer.name] = str(error)
    complete = {name: by_figure(rounds) for name, rounds in whole.items() if name not in failed}
    measured = [dict(zip(KEY, key, strict=True)) | by_figure(rows[key]) for key in rows if key[0] in complete]
    return {"peers": complete, "rows": measured, "failed": failed}


def main() -> None:
    """Print the report section. Without --only, write bench/results/peers.json and docs/peers.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [peer.name for peer in PEERS if peer.name not in (OURS, FLOOR)]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=f"only these of {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=1.0, help="least seconds of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds")
    arguments = parser.parse_args()
    save = begin("peers")
    peers = [peer for peer in PEERS if peer.name in (OURS, FLOOR, *(arguments.only or names))]
    try:
        set_up()
        measured = compare(peers, arguments.rounds, arguments.seconds)
    except ServerError as error:
        sys.exit(f"error: {error}")
    versions = {peer.name: peer.requirements.split("\n")[0] for peer in peers if peer.name in names}
    results = save({"versions": versions} | measured, is_kept=not arguments.only)
    print(section(results))
    if not arguments.only:
        save_figure(plot(results), PLOT)


if __name__ == "__main__":
    main()
