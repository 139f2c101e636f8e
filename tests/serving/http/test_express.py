"""Requests with small bodies are answered without a task, exactly as with one."""

import asyncio
import json
import socket
import time
from unittest.mock import Mock

import pytest

from serving.http.connection import Connection
from serving.http.middleware import Middleware
from serving.http.server import Server
from serving.model.predictor import Predictor
from tests.serving.drawings import LONG, SEVEN, draw, encode
from tests.serving.under_load.client import NORMAL, Answer, ask, request
from tests.serving.under_load.process import Running

PNG = encode(draw(7), "PNG")
VARYING = ("date", "server-timing")

# Query, body and headers, and the status.
REQUESTS: dict[str, tuple[str, bytes, dict[str, str], int]] = {
    "a picture": ("", PNG, {}, 200),
    "all details": ("?detail=full", PNG, {}, 200),
    "grey levels": ("?width=28&height=28", bytes(28 * 28), {"Content_Type": "application/octet-stream"}, 200),
    "a picture for the thread": ("", encode(draw(7).resize((1000, 1000)), "PNG"), {}, 200),
    "strokes": ("", json.dumps(SEVEN).encode(), {}, 200),
    "strokes in detail": ("?detail=full", json.dumps(SEVEN).encode(), {"Content_Type": "application/json"}, 200),
    "strokes for the thread": ("", json.dumps(LONG).encode(), {}, 200),
    "a stroke without a point": ("", b'{"strokes": [[]]}', {}, 400),
    "IDs": ("", PNG, {"X_Request_ID": "mine", "traceparent": f"00-{1:032x}-{1:016x}-01"}, 200),
    "the last request": ("", PNG, {"Connection": "close"}, 200),
    "no picture": ("", b"text", {}, 415),
    "no body": ("", b"", {}, 400),
    "an unknown detail": ("?detail=all", PNG, {}, 400),
    "another host": ("", PNG, {"Host": "example.org"}, 421),
}


def parts(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return what two equal answers share: all but the time and the duration."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    assert answer.headers.keys() >= set(VARYING)
    return answer.status, headers, answer.body


@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_that_of_the_application(service: Running, name: str) -> None:
    query, body, headers, status = REQUESTS[name]
    quick = ask(service.address, request(f"/api/predict{query}", body, **headers))
    # A request with this header has a task.
    routed = ask(service.address, request(f"/api/predict{query}", body, **headers, Content_Encoding="identity"))
    assert parts(quick) == parts(routed)
    assert quick.status == status
    stages = [entry.partition(";")[0] for entry in quick.headers["server-timing"].split(", ")]
    assert stages == (["decode", "queue", "infer", "encode", "total"] if status == 200 else ["total"])


def test_a_body_in_pieces_and_requests_in_a_row_are_answered_in_order(service: Running) -> None:
    full = request("/api/predict?detail=full", PNG)
    with socket.create_connection(service.address, 10) as connection:
        connection.sendall(NORMAL + full + NORMAL[:-100])
        sent = connection.recv(2**20)
        connection.sendall(NORMAL[-100:])
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(2**20):
            sent += data
    answers = sent.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"200"]
    assert [b"normalized" in answer for answer in answers] == [False, True, False]


def test_a_body_of_more_than_one_read_is_answered(service: Running) -> None:
    canvas = {"Content_Type": "application/octet-stream"}
    whole = request("/api/predict?width=300&height=300", bytes(300 * 300), **canvas, Connection="close")
    with socket.create_connection(service.address, 5) as connection:
        for piece in (whole[:70_000], whole[70_000:]):
            connection.sendall(piece)
            time.sleep(0.05)  # so that the service reads twice
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_fault_is_a_500_without_details_and_is_logged(
    app: Middleware, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Predictor, "run", fail)
    server = Server(app, lambda: None)
    transport = Mock(is_closing=Mock(return_value=False), get_extra_info=Mock(return_value=None))

    async def answer() -> None:
        connection = Connection(server.config, server.server_state, {})
        connection.connection_made(transport)
        connection.data_received(NORMAL)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(answer())
    ((sent,), _) = transport.write.call_args
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in sent
    assert "RuntimeError: secret" in caplog.text
