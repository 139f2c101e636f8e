"""A shutdown loses no request and leaves no process."""

import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from serving.http.server import GRACE_S
from tests.project import END_SECONDS, wait_until

from .client import NORMAL, READY, ask, asking
from .process import Running, running

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


def workers_of(service: Running) -> set[int]:
    return {process.pid for process in service.processes()} - {service.popen.pid}


@pytest.mark.workflow
@WORKERS
def test_sigterm_loses_nothing(tmp_path: Path, workers: str) -> None:
    with running(tmp_path, "--workers", workers, "--drain-s", "0.5") as service:
        with asking(service.address, NORMAL) as tally:
            time.sleep(0.3)
            asked_before = ask(service.address, READY).status
            service.popen.terminate()
            time.sleep(0.15)  # for the signal to reach the workers
            asked_after = ask(service.address, READY).status
            code = service.wait()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(service.address)
        assert (asked_before, asked_after, code) == (200, 503, 0)
        assert tally.lost == []
        assert set(tally.statuses) == {200}
        assert any(answer.headers.get("connection") == "close" for answer in tally.answers)
        assert service.said() == ""


@pytest.mark.slow
@WORKERS
@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]], ids=["int", "term-term"])
def test_sigint_and_a_second_sigterm_skip_the_wait(tmp_path: Path, workers: str, signals: list[signal.Signals]) -> None:
    with running(tmp_path, "--workers", workers, "--drain-s", "600") as service:
        for number in signals:
            time.sleep(0.3)
            service.popen.send_signal(number)
        assert service.wait() == 0
        assert service.said() == ""


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service:
        before = workers_of(service)
        killed = min(before)
        with asking(service.address, NORMAL) as tally:
            time.sleep(0.3)
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: len(workers_of(service) - {killed}) == 2, service.popen)
            n_before = len(tally.answers)
            wait_until(lambda: len(tally.answers) > n_before + 100, service.popen)
        assert len(tally.lost) <= 8  # the requests of the killed worker
        assert set(tally.statuses) == {200}
        assert workers_of(service) & before == before - {killed}
        service.popen.terminate()  # while the new one may still be starting
        asked_s = time.monotonic()
        assert service.wait() == 0
        assert time.monotonic() - asked_s < GRACE_S


@pytest.mark.slow
def test_no_worker_outlives_its_supervisor(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service:
        workers = [psutil.Process(pid) for pid in workers_of(service)]
        assert len(workers) == 2
        service.popen.kill()
        service.popen.wait()
        assert psutil.wait_procs(workers, END_SECONDS)[1] == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(service.address)
