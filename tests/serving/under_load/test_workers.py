"""All workers serve one model, even if the file changes or a worker dies."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from serving.settings import ROOT

from ..conftest import MODEL
from .client import READY, ask, read, request
from .models import put, softened
from .process import END_S, Running, running, wait_until

pytestmark = pytest.mark.slow

LOAD = request("/v2/repository/models/digits/load")
UNLOAD = request("/v2/repository/models/digits/unload")
METADATA = request("/v2/models/digits", method="GET")
N_ASKED = 20  # on connections of their own, so that each worker has some


def workers_of(service: Running) -> list[psutil.Process]:
    return service.processes()[1:]


def kill_one(service: Running) -> None:
    """Kills a worker, and waits for the other and a new one that answers."""
    killed, other = workers_of(service)
    killed.kill()
    wait_until(lambda: len({process.pid for process in workers_of(service)} - {killed.pid}) == 2)
    other.suspend()  # so that the new one answers, once it is there
    try:
        ask(service.address, READY, END_S)
    finally:
        other.resume()


def the_other(service: Running, client: socket.socket) -> psutil.Process:
    """The worker that does not have this connection, once both have loaded a model."""
    client.sendall(LOAD)
    assert read(client).status == 200
    port = client.getsockname()[1]
    (other,) = (
        worker
        for worker in workers_of(service)
        if not any(connection.raddr and connection.raddr.port == port for connection in worker.net_connections())
    )
    return other


def versions(service: Running) -> set[str]:
    return {json.loads(ask(service.address, METADATA).body)["versions"][0] for _ in range(N_ASKED)}


@pytest.mark.parametrize("is_good", [True, False], ids=["replaced", "truncated"])
def test_a_new_worker_serves_the_model_of_the_others(tmp_path: Path, is_good: bool) -> None:
    with running(tmp_path, "--workers", "2") as service:
        before = versions(service)
        other = softened(tmp_path / "other.onnx").read_bytes()
        put(other if is_good else other[:1000], service.model)
        kill_one(service)
        assert versions(service) == before
        assert "could not start" not in service.said()
        assert ask(service.address, LOAD).status == (200 if is_good else 400)
        assert len(versions(service)) == 1
        assert (versions(service) != before) == is_good


def test_a_new_worker_serves_the_last_loaded_model(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service:
        before = versions(service)
        softened(service.model)
        assert ask(service.address, LOAD).status == 200
        after = versions(service)
        service.model.unlink()
        kill_one(service)
        assert versions(service) == after
        assert after != before


def test_an_unload_is_remembered_until_the_next_load(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service:
        assert ask(service.address, UNLOAD).status == 200
        kill_one(service)
        assert {ask(service.address, READY).status for _ in range(N_ASKED)} == {503}
        service.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: {ask(service.address, READY).status for _ in range(N_ASKED)} == {200})
        kill_one(service)
        assert {ask(service.address, READY).status for _ in range(N_ASKED)} == {200}


def test_a_load_fails_unless_all_workers_load_the_model(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service, socket.create_connection(service.address, END_S) as client:
        poor = the_other(service, client)
        poor.rlimit(resource.RLIMIT_NOFILE, (3, 3))  # it can open no file any more
        softened(service.model)
        client.sendall(LOAD)
        answer = read(client)
        assert answer.status == 503
        assert "Not every worker" in json.loads(answer.body)["error"]
        wait_until(lambda: poor.pid not in {worker.pid for worker in workers_of(service)})
        wait_until(lambda: len(workers_of(service)) == 2)
        client.sendall(LOAD)
        assert read(client).status == 200
        assert len(versions(service)) == 1


def test_a_worker_that_dies_during_a_load_does_not_block_it(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2") as service, socket.create_connection(service.address, END_S) as client:
        other = the_other(service, client)
        other.suspend()
        n_before = service.said().count("The model is now")
        softened(service.model)
        client.sendall(LOAD)
        wait_until(lambda: service.said().count("The model is now") > n_before)
        other.kill()
        assert read(client).status == 200
        wait_until(lambda: len({process.pid for process in workers_of(service)} - {other.pid}) == 2)
        assert len(versions(service)) == 1


def test_sigterm_to_a_worker_does_not_stop_the_service(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2", "--drain-s", "0") as service:
        ended = workers_of(service)[0]
        ended.terminate()
        wait_until(lambda: len({process.pid for process in workers_of(service)} - {ended.pid}) == 2)
        assert len(versions(service)) == 1


def test_copies_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with running(tmp_path, "--workers", "2") as service:
        for _ in range(3):
            assert ask(service.address, LOAD).status == 200
        assert len([*folder.rglob("*.onnx")]) == 1
        service.popen.terminate()
        service.popen.wait(END_S)
    assert [*folder.glob("inkling-*")] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_during_the_start_is_heard_after_it(tmp_path: Path, workers: str) -> None:
    command = [sys.executable, "-m", "serving", "--port", "0", "--model", str(MODEL), "--workers", workers]
    with (tmp_path / "stderr.txt").open("w+") as errors:
        popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            wait_until(lambda: any("numpy" in used.path for used in psutil.Process(popen.pid).memory_maps()))
            popen.send_signal(signal.SIGHUP)
            assert popen.stdout
            assert "is listening" in popen.stdout.readline()
            wait_until(lambda: "The model is now" in (tmp_path / "stderr.txt").read_text())
            os.kill(popen.pid, signal.SIGTERM)
            assert popen.wait(END_S) == 0
        finally:
            popen.kill()
            popen.communicate()
