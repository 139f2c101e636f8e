"""Clients on raw sockets, which distinguish a lost request from a closed connection."""

import http.client
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Address = tuple[str, int]

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    asked_s: float
    came_s: float


def request(path: str, body: bytes = b"", method: str = "POST", **headers: str) -> bytes:
    """Return the bytes of a request; header names have _ for -."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


# What a normal client asks: an MNIST image as raw bytes.
NORMAL = request("/api/predict?width=28&height=28", bytes(28 * 28), Content_Type="application/octet-stream")
READY = request("/v2/health/ready", method="GET")
METRICS = request("/metrics", method="GET")
METADATA = request("/v2/models/digits", method="GET")
LOAD = request("/v2/repository/models/digits/load")


def read(connection: socket.socket, asked_s: float = 0.0) -> Answer:
    """Return the next answer on a connection; raise OSError or HTTPException if it is missing or incomplete."""
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, asked_s, time.monotonic())
    finally:
        response.close()


def ask(address: Address, asked: bytes, patience_s: float = PATIENCE_S) -> Answer:
    asked_s = time.monotonic()
    with socket.create_connection(address, patience_s) as connection:
        connection.sendall(asked)
        return read(connection, asked_s)


@dataclass
class Tally:
    """The results of the requests of several clients.

    Attributes:
        answers: in the order in which they came, for each client.
        lost: why, for each request that was sent, at least in part, and has no complete answer.
        n_closed: connections that the server closed while no request was under way.
    """

    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    n_closed: int = 0

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


@contextmanager
def asking(address: Address, *requests: bytes, n_clients: int = 8) -> Iterator[Tally]:
    """Run clients that repeat the requests as long as the context lasts; their tally is complete after it."""
    tally, is_over = Tally(), threading.Event()
    threads = [threading.Thread(target=_ask_on, args=(address, requests, tally, is_over)) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _ask_on(address: Address, requests: tuple[bytes, ...], tally: Tally, is_over: threading.Event) -> None:
    connection, number = None, 0
    while not is_over.is_set():
        if connection is None:
            try:
                connection = socket.create_connection(address, PATIENCE_S)
            except OSError:
                is_over.wait(0.02)
                continue
        if select.select([connection], [], [], 0)[0]:  # no request was sent, so the server closed it
            tally.n_closed += 1
            must_close = True
        else:
            asked_s = time.monotonic()
            try:
                connection.sendall(requests[number % len(requests)])
                answer = read(connection, asked_s)
                tally.answers.append(answer)
                number += 1
                must_close = answer.headers.get("connection") == "close"
            except (OSError, http.client.HTTPException) as error:
                tally.lost.append(repr(error))
                must_close = True
        if must_close:
            connection.close()
            connection = None
    if connection:
        connection.close()
