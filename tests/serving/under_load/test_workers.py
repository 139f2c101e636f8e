"""All workers serve one model, even if the file changes or a worker dies."""

import json
import resource
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from serving.http.connection import ANSWER_S
from tests.project import END_SECONDS, ROOT, started, wait_until

from ..models import put, with_metadata
from .client import LOAD, METADATA, READY, ask, read, request
from .process import Running, running

pytestmark = pytest.mark.slow

UNLOAD = request("/v2/repository/models/digits/unload")
N_ASKED = 20  # on separate connections, so that each worker gets some
OTHER = with_metadata(note="another version")


def workers_of(service: Running) -> list[psutil.Process]:
    return service.processes()[1:]


def wait_for_replacement(service: Running, gone: psutil.Process) -> None:
    wait_until(lambda: len({process.pid for process in workers_of(service)} - {gone.pid}) == 2, service.popen)


def kill_one(service: Running) -> None:
    """Kill a worker, and wait for a new one that answers."""
    killed, other = workers_of(service)
    killed.kill()
    wait_for_replacement(service, killed)
    other.suspend()  # so that only the new worker can answer
    try:
        ask(service.address, READY, END_SECONDS)
    finally:
        other.resume()


def the_other(service: Running, client: socket.socket) -> psutil.Process:
    """Load the model. Return the worker without this connection."""
    client.sendall(LOAD)
    assert read(client).status == 200
    port = client.getsockname()[1]
    (other,) = (
        worker
        for worker in workers_of(service)
        if not any(connection.raddr and connection.raddr.port == port for connection in worker.net_connections())
    )
    return other


def statuses(service: Running) -> set[int]:
    return {ask(service.address, READY).status for _ in range(N_ASKED)}


def versions(service: Running) -> set[str]:
    return {json.loads(ask(service.address, METADATA).body)["versions"][0] for _ in range(N_ASKED)}


@pytest.mark.parametrize("is_good", [True, False], ids=["replaced", "truncated"])
def test_a_new_worker_serves_the_model_of_the_others(tmp_path: Path, is_good: bool) -> None:
    with running(tmp_path, "--workers", "2") as service:
        before = versions(service)
        put(OTHER if is_good else OTHER[:1000], service.model)
        kill_one(service)
        assert versions(service) == before
        assert "could not start" not in service.said()
        assert ask(service.address, LOAD).status == (200 if is_good else 400)
        after = versions(service)
        assert len(after) == 1
        assert (after != before) == is_good
        service.model.unlink()
        kill_one(service)
        assert versions(service) == after


def test_an_unload_is_remembered_until_the_next_load(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service:
        assert ask(service.address, UNLOAD).status == 200
        kill_one(service)
        assert statuses(service) == {503}
        service.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: statuses(service) == {200}, service.popen)
        kill_one(service)
        assert statuses(service) == {200}


def test_a_worker_that_cannot_load_the_model_is_replaced_before_the_answer(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--workers", "2") as service,
        socket.create_connection(service.address, END_SECONDS) as client,
    ):
        poor = the_other(service, client)
        poor.rlimit(resource.RLIMIT_AS, (1, 1))  # it gets no more memory
        put(with_metadata(note="x" * 2**25), service.model)
        client.sendall(LOAD)
        assert read(client).status == 200
        assert poor not in workers_of(service)
        assert len(versions(service)) == 1


def test_a_worker_that_hangs_is_replaced_and_a_load_waits_for_it(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--workers", "2") as service,
        socket.create_connection(service.address, ANSWER_S) as client,
    ):
        other = the_other(service, client)
        other.suspend()
        put(OTHER, service.model)
        client.sendall(LOAD)
        assert read(client).status == 200
        assert f"Worker {other.pid} has hung for 30 s" in service.said()
        assert other not in workers_of(service)
        assert len(versions(service)) == 1


def test_sigterm_to_a_worker_does_not_stop_the_service(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2", "--drain-s", "0") as service:
        ended = workers_of(service)[0]
        ended.terminate()
        wait_for_replacement(service, ended)
        assert len(versions(service)) == 1


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with running(tmp_path, "--workers", "2") as service:
        assert ask(service.address, LOAD).status == 200
        service.popen.kill()
        assert [*folder.iterdir()] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_during_the_start_is_handled_after_it(tmp_path: Path, workers: str) -> None:
    command, log = [sys.executable, "-m", "serving", "--port", "0", "--workers", workers], tmp_path / "log.txt"

    def is_importing() -> bool:
        (process,) = (child for child in psutil.Process().children() if child.cmdline() == command)
        return any("numpy" in used.path for used in process.memory_maps())

    with started(command, is_importing, log, cwd=ROOT) as process:
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "The model is still" in log.read_text(), process, log=log)
        assert "is listening" in log.read_text()
        process.terminate()
        assert process.wait(END_SECONDS) == 0
