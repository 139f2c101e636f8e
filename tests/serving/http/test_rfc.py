"""Requests on raw sockets that HTTP's documents allow or forbid, and clients that stall or swarm."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from serving.http.connection import MAX_BODIES_BYTES
from serving.http.reader import MAX_HEAD_BYTES
from tests.serving.conftest import MAX_BODY_BYTES
from tests.serving.drawings import draw, encode
from tests.serving.under_load.client import LOAD, NORMAL, READY, Answer, ask, read, request
from tests.serving.under_load.process import Running, running

SEVEN = request("/api/predict", encode(draw(7), "PNG"))
HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def send(service: Running, *pieces: bytes, is_ended: bool = False) -> Answer:
    """Send the pieces one by one, and FIN if `is_ended`. Return the answer."""
    with connect(service) as connection:
        with contextlib.suppress(ConnectionError):  # refused before the end
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02 * (len(pieces) > 1))
        if is_ended:
            connection.shutdown(socket.SHUT_WR)
        return read(connection)


@contextlib.contextmanager
def connect(service: Running) -> Iterator[socket.socket]:
    with socket.create_connection(service.address, 20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def statuses(connection: socket.socket) -> Iterator[int]:
    """Yield the statuses of pipelined answers until the connection ends."""
    with connection.makefile("rb") as file:
        while line := file.readline():
            headers = http.client.parse_headers(file)
            file.read(int(headers["content-length"]))
            yield int(line.split()[1])


UPGRADES = [
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
]


@pytest.mark.parametrize("headers", UPGRADES)
def test_an_upgrade_is_ignored_and_the_body_kept(service: Running, headers: bytes) -> None:
    asked = SEVEN.replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n", 1)
    for pieces in ([asked], [asked[:300], asked[300:]], [asked[:-1], asked[-1:]]):
        answer = send(service, *pieces)
        assert (answer.status, json.loads(answer.body).get("digit")) == (200, 7)
    assert send(service, b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 400


@pytest.mark.parametrize("n_pieces", [1, 7])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request("/v2", method="GET", X="x" * (MAX_HEAD_BYTES - 100)), 200),
        (request("/v2", method="GET", X="x" * MAX_HEAD_BYTES), 431),
        (request("/v2", method="GET", **{f"X{n}": "x" * 1000 for n in range(33)}), 431),
        (request("/" + "x" * MAX_HEAD_BYTES, method="GET"), 431),
        (CHUNKED + b"1\r\nx\r\n0\r\nA: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n", 415),
        (CHUNKED + b"1\r\nx\r\n0\r\nA: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (CHUNKED + b"1\r\nx\r\n0\r\n" + b"A: x\r\n" * 8_000 + b"\r\n", 431),
        (CHUNKED + b"1;" + b"x" * 2 * MAX_HEAD_BYTES, 431),
    ],
    ids=[
        "at the limit",
        "one header",
        "headers",
        "line",
        "trailer at the limit",
        "one trailer",
        "trailers",
        "extension",
    ],
)
def test_the_limit_of_a_head_does_not_depend_on_its_packets(
    service: Running, asked: bytes, status: int, n_pieces: int
) -> None:
    n_bytes = -(-len(asked) // n_pieces)
    answer = send(service, *(asked[start : start + n_bytes] for start in range(0, len(asked), n_bytes)))
    assert answer.status == status


def test_a_trailer_is_no_header(service: Running) -> None:
    body = b"0\r\nHost: elsewhere.example\r\nContent-Encoding: br\r\n\r\n"
    assert b"0 bytes" in send(service, CHUNKED, body).body


@pytest.mark.parametrize(
    ("asked", "n_answers"),
    [(SEVEN, 1), (READY, 1), (request("/api/model", method="GET"), 1), (SEVEN * 3, 3)],
    ids=["picture", "probe", "model", "three"],
)
def test_a_client_that_has_sent_all_gets_its_answers(service: Running, asked: bytes, n_answers: int) -> None:
    with connect(service) as connection:
        connection.sendall(asked)
        connection.shutdown(socket.SHUT_WR)
        assert list(statuses(connection)) == [200] * n_answers


@pytest.mark.parametrize("n_requests", [1, 3])
@pytest.mark.parametrize("asked", [SEVEN, READY], ids=["picture", "probe"])
def test_what_is_no_request_does_not_lose_the_answers_before(service: Running, asked: bytes, n_requests: int) -> None:
    with connect(service) as connection:
        connection.sendall(asked * n_requests + b"no request\r\n")
        assert list(statuses(connection)) == [200] * n_requests


@pytest.mark.parametrize("asked", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\nhalf"])
def test_half_a_request_with_its_end_is_closed(service: Running, asked: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(asked)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


@pytest.mark.parametrize("n_requests", [18, 1_500])
def test_pipelined_requests_are_all_answered_in_order(service: Running, n_requests: int) -> None:
    asked = [request(path, method="GET") for path in ("/v2/health/live", "/v2/models/digits", "/nothing")]
    with connect(service) as connection:
        connection.sendall(b"".join(asked * (n_requests // 3)))
        found = list(islice(statuses(connection), n_requests))
    assert found == [200, 200, 404] * (n_requests // 3)


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_the_413_of_a_large_body_is_not_lost(service: Running, connection: str) -> None:
    asked = request("/api/predict", bytes(20 * MAX_BODY_BYTES), Connection=connection)
    with connect(service) as client:
        client.sendall(asked)  # to its end, and only then the answer is read
        assert read(client).status == 413
        if connection == "close":
            assert client.recv(1) == b""
        else:
            client.sendall(READY)
            assert read(client).status == 200


@pytest.mark.workflow
def test_stalled_uploads_give_way_to_others(tmp_path: Path) -> None:
    n_bytes = MAX_BODIES_BYTES // 8
    with running(tmp_path) as service, contextlib.ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(connect(service))
            connection.sendall(request("/api/predict", bytes(n_bytes))[:-1])
        time.sleep(1.5)
        assert send(service, request("/api/predict", bytes(2**20))).status == 415


@pytest.mark.workflow
def test_a_pause_in_a_body_has_a_limit_whatever_was_sent(tmp_path: Path) -> None:
    with running(tmp_path, "--body-timeout-s", "0.5") as service:
        answer = send(service, request("/api/predict", bytes(2**20))[:-1])  # at 8 kB per second it had 128 s
    assert answer.status == 408


@pytest.mark.workflow
def test_silent_connections_make_room_for_others(tmp_path: Path) -> None:
    with running(tmp_path, "--max-connections", "20") as service, contextlib.ExitStack() as stack:
        busy = stack.enter_context(connect(service))
        busy.sendall(HEAD + b"Content-Length: 1\r\n\r\n")
        silent = [stack.enter_context(connect(service)) for _ in range(30)]
        silent[-1].sendall(HEAD)
        for _ in range(10):
            assert ask(service.address, NORMAL).status == 200
        busy.sendall(b"x")
        assert read(busy).status == 415
        silent[0].settimeout(1)
        assert silent[0].recv(1) == b""  # the oldest


@pytest.mark.workflow
def test_a_service_on_all_ipv6_addresses_is_reached_by_ipv4(tmp_path: Path) -> None:
    with running(tmp_path, "--host", "::") as service:
        port = service.address[1]
        assert ask(("127.0.0.1", port), READY).status == 200
        assert ask(("127.0.0.1", port), LOAD).status == 200


@pytest.mark.slow
def test_long_texts_of_clients_are_not_remembered(tmp_path: Path) -> None:
    long = "0" * (MAX_HEAD_BYTES - 500)
    with running(tmp_path) as service:

        def ask_all(n_requests: int) -> None:
            for number in range(n_requests):
                ask(service.address, request(f"/v2?{number}{long}", method="GET"))
                ask(service.address, request(f"/v2/{number}{long}", method="GET"))
                ask(service.address, request("/v2", method="GET", Host=f"localhost:{number}{long}"))
                ask(
                    service.address,
                    request(f"/api/predict?width={number}&x={long}", b"1", Content_Type="application/octet-stream"),
                )

        ask_all(50)
        before = service.memory()
        ask_all(1000)
        assert service.memory() - before < 16 * 2**20
