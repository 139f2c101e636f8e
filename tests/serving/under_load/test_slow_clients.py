"""Slow clients are closed at their deadline and do not disturb the others."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from .client import METRICS, NORMAL, ask, asking, read, request
from .process import running

pytestmark = pytest.mark.slow

DEADLINE_S = 1.0
FLAGS = ("--head-timeout-s", "1", "--body-timeout-s", "1", "--idle-timeout-s", "1")

# The server checks ten times a second; the rest is for a busy machine. A trickle would last a minute.
LATEST_S = DEADLINE_S + 4.0
TRICKLE_S = 0.25
N_TRICKLES = 240

HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\n"
START_OF_BODY = request("/api/predict", bytes(10_000))[:-9_000]


def trickle(connection: socket.socket, start: bytes, drop: bytes) -> None:
    connection.sendall(start)
    for _ in range(N_TRICKLES):
        time.sleep(TRICKLE_S)
        connection.sendall(drop)


# What each client does, and the status of its answer; None if it has sent no request.
SLOW: dict[str, tuple[Callable[[socket.socket], None], int | None]] = {
    "silent": (lambda connection: None, None),
    "a trickled head": (lambda connection: trickle(connection, HEAD, b"X"), 408),
    "a trickled body": (lambda connection: trickle(connection, START_OF_BODY, b"x"), 408),
    "idle": (lambda connection: ask_once(connection), None),
}


def ask_once(connection: socket.socket) -> None:
    connection.sendall(NORMAL)
    assert read(connection).status == 200


@pytest.mark.parametrize("name", SLOW)
def test_each_is_closed_at_its_deadline(tmp_path: Path, name: str) -> None:
    behave, status = SLOW[name]
    with running(tmp_path, *FLAGS) as service, socket.create_connection(service.address, LATEST_S) as connection:
        started_s = time.monotonic()
        thread = until_closed(behave, connection)
        if name == "idle":
            thread.join()
        if status:
            answer = read(connection)
            assert (answer.status, list(json.loads(answer.body))) == (status, ["error"])
            assert answer.headers["connection"] == "close"
        assert connection.recv(1) == b""
        assert DEADLINE_S * 0.9 < time.monotonic() - started_s < LATEST_S
        connection.close()
        thread.join()
        assert service.said() == ""


def until_closed(behave: Callable[[socket.socket], None], connection: socket.socket) -> threading.Thread:
    def run() -> None:
        with suppress(OSError):
            behave(connection)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_client_that_does_not_read_is_not_read_from(tmp_path: Path) -> None:
    with running(tmp_path) as service, socket.create_connection(service.address, 2) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = service.memory()
        with pytest.raises(TimeoutError):
            connection.sendall(METRICS * 1_000_000)
        assert ask(service.address, NORMAL).status == 200
        assert service.memory() - before < 16 * 2**20


def test_100_slow_clients_do_not_disturb_the_others(tmp_path: Path) -> None:
    with running(tmp_path, *FLAGS) as service, ExitStack() as stack:
        for number in range(100):
            behave, _ = list(SLOW.values())[number % len(SLOW)]
            connection = stack.enter_context(socket.create_connection(service.address, LATEST_S))
            stack.callback(until_closed(behave, connection).join)
        with asking(service.address, NORMAL, n_clients=2) as tally:
            time.sleep(DEADLINE_S)
    assert set(tally.statuses) == {200}
    assert tally.lost == []
