"""When one more request is taken; the clock is turned by hand."""

from types import SimpleNamespace

import pytest

from serving import overload
from serving.overload import MAX_WAIT_S, N_UNDER_OVERLOAD, RECOVERY_S, Gate

MAX_WAITING = 100


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def perf_counter(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(overload, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    return clock


@pytest.mark.usefixtures("clock")
def test_a_burst_is_taken_up_to_the_limit() -> None:
    gate = Gate(MAX_WAITING)
    assert all(gate.admits(n_waiting) for n_waiting in range(MAX_WAITING))
    assert not gate.admits(MAX_WAITING)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("max_waiting", [1, N_UNDER_OVERLOAD - 1, N_UNDER_OVERLOAD])
def test_a_low_limit_is_kept_too(max_waiting: int) -> None:
    gate = Gate(max_waiting)
    assert gate.admits(max_waiting - 1)
    assert not gate.admits(max_waiting)
    assert gate.admits(max_waiting - 1)


@pytest.mark.parametrize("reason", ["full", "late"])
def test_under_overload_few_may_wait_until_it_is_over(clock: Clock, reason: str) -> None:
    gate = Gate(MAX_WAITING)
    if reason == "full":
        assert not gate.admits(MAX_WAITING)
    else:
        gate.report(MAX_WAIT_S * 1.01)
    clock.now_s += RECOVERY_S / 2
    assert gate.admits(N_UNDER_OVERLOAD - 1)
    assert not gate.admits(N_UNDER_OVERLOAD)
    clock.now_s += RECOVERY_S * 1.01
    assert gate.admits(MAX_WAITING - 1)


def test_it_is_not_over_while_requests_are_refused_or_late(clock: Clock) -> None:
    gate = Gate(MAX_WAITING)
    gate.report(1)
    for _ in range(10):
        clock.now_s += RECOVERY_S * 0.9
        assert not gate.admits(N_UNDER_OVERLOAD)
    clock.now_s += RECOVERY_S * 0.9
    gate.report(1)
    clock.now_s += RECOVERY_S * 0.9
    assert not gate.admits(N_UNDER_OVERLOAD)


def test_few_waiting_do_not_prolong_it(clock: Clock) -> None:
    gate = Gate(MAX_WAITING)
    gate.report(1)
    clock.now_s += RECOVERY_S / 2
    assert gate.admits(0)
    clock.now_s += RECOVERY_S / 2
    assert gate.admits(N_UNDER_OVERLOAD)


@pytest.mark.usefixtures("clock")
def test_a_short_wait_is_no_overload() -> None:
    gate = Gate(MAX_WAITING)
    gate.report(MAX_WAIT_S)
    assert gate.admits(MAX_WAITING - 1)
