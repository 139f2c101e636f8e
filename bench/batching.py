"""What the queue in front of the model costs at one connection, and what it brings at sixteen.

python -m bench.batching [--seconds 1] [--rounds 15]

The service, and the same one with the model run at once in each request's handler, are both up; in each round one is
measured after the other, in the opposite order every other round.
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
    """Figures by number of connections, service and name: a list of one value a round.

    Raises:
        PeerError: a service can't be measured.
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
    """Print the ratios; write bench/results/batching.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured")
    arguments = parser.parse_args()
    try:
        set_up()
        figures = compare(arguments.rounds, arguments.seconds)
    except PeerError as error:
        sys.exit(f"error: {error}")
    for n_connections, services in figures.items():
        for figure, values in services["queue"].items():
            with_to_without = ratio(values, services["inline"][figure])
            print(f"{n_connections:>2} connections, with the queue to without, {figure}: {with_to_without}")
    write_json(RESULTS / "batching.json", origin(load_config()) | service_origin() | {"connections": figures})


if __name__ == "__main__":
    main()
