"""Error responses of the connection are counted and logged like all others."""

import contextlib
import json
import re
import socket
from pathlib import Path

import pytest

from tests.serving.under_load.client import ask, read, request
from tests.serving.under_load.process import running

FLAGS = ("--head-timeout-s", "0.3", "--body-timeout-s", "0.3", "--max-connections", "3", "--log-requests")
PREDICT = "/api/predict"
HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: mine\r\n"

# What is sent, the status, and the path of the request where its head was read.
REFUSED: dict[str, tuple[bytes, int, str | None]] = {
    "no HTTP": (b"hello\r\n\r\n", 400, None),
    "a huge head": (HEAD + b"X: " + bytes(40_000).replace(b"\0", b"x"), 431, None),
    "half a head": (HEAD, 408, None),
    "half a body": (HEAD + b"Content-Length: 9\r\n\r\nhalf", 408, PREDICT),
    "half a body after an answer": (
        request("/v2/health/live", method="GET") + HEAD + b"Content-Length: 9\r\n\r\n",
        408,
        PREDICT,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_recorded_once(tmp_path: Path, name: str) -> None:
    sent, status, path = REFUSED[name]
    with running(tmp_path, *FLAGS) as service:
        with socket.create_connection(service.address, 10) as connection:
            connection.sendall(sent)
            if "after" in name:
                assert read(connection).status == 200
            answer = read(connection)
            assert answer.status == status
            assert answer.headers.get("x-request-id") == (path and "mine")
            timing = re.fullmatch(r"total;dur=(\d+\.\d+)", answer.headers["server-timing"])
            assert timing
            assert (float(timing[1]) >= 200) == (status == 408)  # the time that the client was given
        counted = ask(service.address, request("/metrics", method="GET")).body.decode()
        lines = [json.loads(line) for line in service.said().splitlines()]
    route = path or "none"
    counts = re.findall(r"^inkling_requests_total{(.*)} 1$", counted, re.MULTILINE)
    assert [count for count in counts if "health" not in count] == [f'route="{route}",status="{status}"']
    logged = [(line["status"], line.get("path"), line.get("x-request-id")) for line in lines if line["status"] != 200]
    assert logged == [(status, path, path and "mine")]
    assert all("total_ms" in line for line in lines)


def test_a_connection_too_many_is_recorded(tmp_path: Path) -> None:
    with running(tmp_path, "--max-connections", "3") as service, contextlib.ExitStack() as opened:
        rest = [opened.enter_context(socket.create_connection(service.address, 10)) for _ in range(3)]
        for connection in rest:
            connection.sendall(HEAD + b"Content-Length: 1\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100")  # so none can make room
        with socket.create_connection(service.address, 10) as connection:
            answer = read(connection)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["server-timing"].startswith("total;dur=")
        rest[0].close()
        n_refused = 1
        while (counted := ask(service.address, request("/metrics", method="GET"))).status == 503:
            n_refused += 1  # the service has not noticed yet that a connection was closed
        assert f'inkling_requests_total{{route="none",status="503"}} {n_refused}\n'.encode() in counted.body
