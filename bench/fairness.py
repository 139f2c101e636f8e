"""Measure the service when others use it at the same time: refusals, good answers and their latency.

python -m bench.fairness [--seconds 10]

One user sends requests, one after the other, until 1,000 have been answered, beside a bulk client with 64 and then 256
connections. Afterwards, an open loop sends requests at twice the measured capacity. The service and the load generators
have a core each.
"""

import argparse
import sys
import time
from multiprocessing import Process

from bench.arrivals import poisson
from bench.load import Address, Outcome, closed_loop, open_loop
from bench.peers.jobs import is_right
from bench.peers.server import WARM_UP_S, PeerError, build, running, set_up
from bench.peers.table import SERVICE

N_REQUESTS = 1000
BULK_CONNECTIONS = (64, 256)
OVERLOAD = 2.0
N_OPEN = 900  # fewer than the service accepts by default
REQUEST = SERVICE.forms[0].request


def beside_bulk(address: Address, n_connections: int) -> Outcome:
    """Measure one user's requests while another process keeps these connections busy."""
    bulk = Process(target=closed_loop, args=(address, REQUEST, n_connections, 3600.0))
    bulk.start()
    time.sleep(WARM_UP_S)
    try:
        return closed_loop(address, REQUEST, seconds=0, warm_up_s=0, n_good=N_REQUESTS, is_right=is_right)
    finally:
        bulk.terminate()
        bulk.join()


def summary(outcome: Outcome) -> str:
    """Return the number and latency of the answers by status."""
    parts = [f"{outcome.n_lost + outcome.n_refused} unanswered"]
    for status, n_answers in sorted(outcome.statuses.items()):
        p50, p99 = (1e3 * outcome.percentile(percent, status) for percent in (50, 99))
        parts.append(f"{n_answers:,} with status {status} (p50 {p50:.1f} ms, p99 {p99:.1f} ms)")
    return ", ".join(parts)


def main() -> None:
    """Start the service, and print each measurement on a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of the open loop")
    seconds = parser.parse_args().seconds
    try:
        set_up()
        build(SERVICE)
        with running(SERVICE) as server:
            for n_connections in BULK_CONNECTIONS:
                user = beside_bulk(server.address, n_connections)
                print(f"user beside {n_connections} connections: {summary(user)}", flush=True)
            capacity = closed_loop(server.address, REQUEST, 16, seconds / 4, is_right=is_right).rate()
            arrivals = poisson(OVERLOAD * capacity, seed=0)
            crowd = open_loop(server.address, REQUEST, arrivals, N_OPEN, seconds, is_right=is_right)
    except PeerError as error:
        sys.exit(f"error: {error}")
    print(f"open loop at {OVERLOAD * capacity:,.0f} requests/s: {summary(crowd)}")
    print(f"good answers: {crowd.rate() / capacity:.2f} of the capacity, {capacity:,.0f}/s at 16 connections")


if __name__ == "__main__":
    main()
