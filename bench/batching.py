"""Measure the cost of the queue at one connection, and its gain at sixteen.

python -m bench.batching [--seconds 1] [--rounds 15]

Run the service, and the same service with the model in each request's handler instead of the queue. Each round measures
both, in alternating order.
"""

import argparse
import sys
from dataclasses import replace
from typing import Any

from bench import RESULTS, origin, service_origin
from bench.peers import OURS
from bench.peers.server import CONNECTIONS, PeerError, build, measure, running, set_up
from bench.peers.table import PEERS
from bench.rounds import ratio
from pipeline.base.files import write_json
from pipeline.config.values import load_config

QUEUE = next(peer for peer in PEERS if peer.name == OURS)
INLINE = replace(
    QUEUE, name=f"{OURS}, inline", command="{python} {servers}/inline_service.py --port {port}", environment=OURS
)


def compare(n_rounds: int, seconds: float) -> dict[str, Any]:
    """Return figures by number of connections, service and name, with one value per round.

    Raises:
        PeerError: a service cannot be measured.
    """
    build(QUEUE)
    figures: dict[str, Any] = {str(n): {"queue": {}, "inline": {}} for n in CONNECTIONS}
    with running(QUEUE) as queue, running(INLINE) as inline:
        servers = {"queue": queue, "inline": inline}
        for number in range(n_rounds):
            for n_connections in CONNECTIONS:
                for name in list(servers)[:: -1 if number % 2 else 1]:
                    measured = measure(servers[name], QUEUE.forms[0].request, n_connections, seconds)
                    for figure, value in measured.items():
                        figures[str(n_connections)][name].setdefault(figure, []).append(round(value, 4))
    return figures


def main() -> None:
    """Print the ratios, and write bench/results/batching.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=15, help="number of rounds")
    arguments = parser.parse_args()
    try:
        set_up()
        figures = compare(arguments.rounds, arguments.seconds)
    except PeerError as error:
        sys.exit(f"error: {error}")
    for n_connections, services in figures.items():
        for figure, values in services["queue"].items():
            with_to_without = ratio(values, services["inline"][figure])
            print(f"{n_connections:>2} connections, queue / inline, {figure}: {with_to_without}")
    write_json(RESULTS / "batching.json", origin(load_config()) | service_origin() | {"connections": figures})


if __name__ == "__main__":
    main()
