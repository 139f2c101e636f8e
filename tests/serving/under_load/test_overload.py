"""More is asked than can be answered: what is taken is answered as quickly as ever, and the rest is told so at once."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.http.admission import BURST_S, LASTING_S, N_SHORT, OVERLOAD_S

from .arrivals import drive
from .client import NORMAL, READY, asking, request
from .process import Running, running

pytestmark = pytest.mark.slow

METRICS = request("/metrics", method="GET")

N_CLOSED = 16
N_OPEN = 96

# Rounds in turns, of which the best counts: what else runs on the machine only adds to a latency and takes from a rate.
N_ROUNDS = 5
ROUND_S = 1.0

# Until the service has seen that overload lasts; and with no more of it, until it has forgotten.
ONSET_S = 2 * BURST_S + OVERLOAD_S + 0.3
REST_S = LASTING_S + OVERLOAD_S

PROBE_S = 5.0  # within which a probe is answered


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """A service on the first core, with this process on the second, where there are two."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(cores) < 2:
        with running(tmp_path) as service:
            yield service
        return
    with running(tmp_path, core=cores[0]) as service:
        os.sched_setaffinity(0, {cores[1]})
        try:
            yield service
        finally:
            os.sched_setaffinity(0, cores)


def test_clients_that_wait_for_their_answers_are_never_refused(service: Running) -> None:
    outcome = drive(service.address, NORMAL, N_SHORT, 2.0)
    assert set(outcome.latencies) == {200}
    assert outcome.n_lost == 0


def test_under_overload_some_are_refused_at_once_and_probes_are_answered(service: Running) -> None:
    capacity = drive(service.address, NORMAL, N_CLOSED, 1.0).rate()
    with asking(service.address, READY, METRICS, n_clients=1) as probes:
        outcome = drive(service.address, NORMAL, N_OPEN, 2.0, 2 * capacity)
    assert set(outcome.latencies) == {200, 503}
    assert set(probes.statuses) == {200}
    assert probes.lost == []
    assert max(answer.came_s - answer.asked_s for answer in probes.answers) < PROBE_S


def test_refusals_do_not_take_the_place_of_answers(service: Running) -> None:
    shares = []
    for _ in range(N_ROUNDS):
        capacity = drive(service.address, NORMAL, N_CLOSED, ROUND_S).rate()
        shares.append(drive(service.address, NORMAL, N_OPEN, ROUND_S, 2 * capacity).rate() / capacity)
        time.sleep(REST_S)
    assert max(shares) > 1 / 2, shares


def test_a_refusal_says_when_to_come_back(tmp_path: Path) -> None:
    with running(tmp_path, "--max-waiting", "1") as service, asking(service.address, NORMAL, n_clients=8) as tally:
        time.sleep(0.5)
    refusals = [answer for answer in tally.answers if answer.status == 503]
    assert set(tally.statuses) == {200, 503}
    assert {answer.headers["retry-after"] for answer in refusals} == {"1"}
    assert all(re.fullmatch(r"total;dur=\d+\.\d+", answer.headers["server-timing"]) for answer in refusals)
    assert len({answer.body for answer in refusals}) == 1
    assert tally.lost == []


def test_at_twice_its_capacity_answers_are_as_quick_as_at_half(service: Running) -> None:
    half, twice, refused = [], [], []
    for _ in range(N_ROUNDS):
        capacity = drive(service.address, NORMAL, N_CLOSED, ROUND_S).rate()
        half.append(drive(service.address, NORMAL, N_OPEN, ROUND_S, capacity / 2).percentile(99))
        overloaded = drive(service.address, NORMAL, N_OPEN, ROUND_S, 2 * capacity, ONSET_S)
        twice.append(overloaded.percentile(99))
        refused.append(overloaded.percentile(50, 503))
        time.sleep(REST_S)
    assert min(twice) < 3 * min(half), (twice, half)
    assert min(refused) < 3 * min(half), (refused, half)
