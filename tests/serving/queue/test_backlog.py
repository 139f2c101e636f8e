"""The expected wait follows from the number of waiting requests and the measured rate."""

import random
from collections import deque

import pytest

from serving.queue.backlog import Backlog
from serving.settings import Settings

LIMIT_S = Settings().max_wait_s
N_BATCH = 16


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.queue.backlog.time.perf_counter", clock)
    return clock


class Service:
    """A service that takes `request_s` for each request, first in, first out, and accepts by the expected wait."""

    def __init__(self, clock: Clock, request_s: float) -> None:
        self.clock, self.request_s = clock, request_s
        self.backlog = Backlog(N_BATCH)
        self.ends: deque[float] = deque()
        self.waits: list[float] = []
        self.n_refused = 0

    def answer_until(self, now_s: float) -> None:
        while self.ends and self.ends[0] <= now_s:
            self.clock.now_s = self.ends.popleft()
            self.backlog.answer()
        self.clock.now_s = now_s

    def ask(self, now_s: float) -> None:
        self.answer_until(now_s)
        if not self.backlog.admits(LIMIT_S):
            self.n_refused += 1
            return
        self.backlog.enter()
        self.ends.append(max(now_s, self.ends[-1] if self.ends else 0) + self.request_s)
        self.waits.append(self.ends[-1] - now_s)

    def ask_at(self, per_s: float, seconds: float) -> None:
        """Send requests at random times; then wait until all are answered."""
        generator = random.Random(0)
        now_s = self.clock.now_s
        end_s = now_s + seconds
        while (now_s := now_s + generator.expovariate(per_s)) < end_s:
            self.ask(now_s)
        self.answer_until(max(end_s, self.ends[-1] if self.ends else 0))


@pytest.mark.parametrize("request_s", [0.0002, 0.002, 0.01])
def test_at_twice_the_capacity_the_service_is_busy_and_no_wait_is_long(clock: Clock, request_s: float) -> None:
    service = Service(clock, request_s)
    service.ask_at(0.8 / request_s, 5)  # the rate is measured
    assert service.n_refused == 0
    service.waits.clear()
    service.ask_at(2 / request_s, 5)
    assert len(service.waits) * request_s > 0.95 * 5
    assert max(service.waits) < 1.2 * LIMIT_S + request_s


def test_a_burst_below_the_limit_is_accepted_at_any_time(clock: Clock) -> None:
    service = Service(clock, 0.0005)
    n_burst = round(0.8 * LIMIT_S / service.request_s)
    for _ in range(20):
        for _ in range(n_burst):
            service.ask(clock.now_s)
        service.answer_until(service.ends[-1])
        clock.now_s += 1
    assert service.n_refused == 0


def test_overload_ends_with_its_cause(clock: Clock) -> None:
    service = Service(clock, 0.002)
    service.ask_at(2 / 0.002, 10)
    n_refused = service.n_refused
    assert n_refused
    service.ask_at(0.9 / 0.002, 10)
    assert service.n_refused == n_refused


def test_a_pause_of_the_machine_refuses_nobody(clock: Clock) -> None:
    service = Service(clock, 0.0005)
    service.ask_at(1000, 5)
    service.backlog.enter()
    clock.now_s += 5
    service.backlog.answer()
    for _ in range(256):
        service.ask(clock.now_s)
    assert service.n_refused == 0


def test_slower_requests_are_noticed(clock: Clock) -> None:
    service = Service(clock, 0.0002)
    service.ask_at(4000, 5)
    service.request_s = 0.01
    service.ask_at(200, 10)
    service.waits.clear()
    service.ask_at(200, 5)
    assert max(service.waits) < 1.2 * LIMIT_S


def test_before_any_request_a_burst_is_accepted() -> None:
    assert Backlog(N_BATCH).seconds(Settings().max_connections) < LIMIT_S


def test_a_full_batch_is_accepted_however_slow_the_machine_is(clock: Clock) -> None:
    service = Service(clock, 1)
    for _ in range(10):
        for _ in range(N_BATCH):
            service.ask(clock.now_s)
        service.answer_until(service.ends[-1])
    assert service.n_refused == 0


def test_work_in_a_thread_delays_nobody(clock: Clock) -> None:
    backlog = Backlog(N_BATCH)
    for _ in range(100):
        backlog.enter()
        backlog.leave()  # to a thread
        clock.now_s += 1
        backlog.enter()
        clock.now_s += 0.0005
        backlog.answer()
    assert backlog.seconds(256) < LIMIT_S
