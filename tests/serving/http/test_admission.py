"""Admission control accepts short queues always and long ones only briefly."""

import pytest

from serving.http.admission import BURST_S, LASTING_S, N_SHORT, N_UNDER_OVERLOAD, OVERLOAD_S, AdmissionControl

MAX_WAITING = 100
LONG = N_SHORT


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("serving.http.admission.time.perf_counter", clock)
    return clock


@pytest.fixture
def overloaded(clock: Clock) -> AdmissionControl:
    admission = AdmissionControl(MAX_WAITING)
    assert admission.admits(LONG)
    clock.now_s += BURST_S
    assert not admission.admits(LONG)
    return admission


def test_short_queues_and_short_bursts_are_always_accepted(clock: Clock) -> None:
    admission = AdmissionControl(MAX_WAITING)
    for _ in range(100):
        assert admission.admits(LONG)
        clock.now_s += BURST_S * 0.9
        assert admission.admits(N_SHORT - 1)
        clock.now_s += BURST_S


def test_a_burst_is_let_in_up_to_the_limit(clock: Clock) -> None:
    admission = AdmissionControl(MAX_WAITING)
    assert [admission.admits(n_waiting) for n_waiting in (LONG, MAX_WAITING - 1, MAX_WAITING)] == [True, True, False]
    clock.now_s += BURST_S * 0.9
    assert admission.admits(LONG)


def test_under_overload_only_few_wait(overloaded: AdmissionControl) -> None:
    assert overloaded.admits(N_UNDER_OVERLOAD - 1)
    assert not overloaded.admits(N_UNDER_OVERLOAD)


def test_overload_ends_by_itself(overloaded: AdmissionControl, clock: Clock) -> None:
    clock.now_s += 2 * OVERLOAD_S + 0.01
    assert overloaded.admits(LONG)


def test_a_queue_that_is_long_again_right_after_is_more_of_the_same(overloaded: AdmissionControl, clock: Clock) -> None:
    clock.now_s += OVERLOAD_S + 0.01
    assert overloaded.admits(N_SHORT - 1)
    assert not overloaded.admits(LONG)


def test_overload_that_lasts_is_looked_for_less_often(overloaded: AdmissionControl, clock: Clock) -> None:
    clock.now_s += OVERLOAD_S + 0.01
    assert not overloaded.admits(LONG)
    clock.now_s += LASTING_S - 0.01
    assert not overloaded.admits(N_UNDER_OVERLOAD)
    clock.now_s += 0.02
    assert overloaded.admits(N_SHORT - 1)
    clock.now_s += OVERLOAD_S
    assert overloaded.admits(LONG)
