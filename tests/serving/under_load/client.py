"""Clients on raw sockets, which distinguish a lost request from a closed connection."""

import http.client
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Address = tuple[str, int]

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """One answer: its status, headers with names in lower case, body, when it was asked for, and when it came."""

    status: int
    headers: dict[str, str]
    body: bytes
    asked_s: float
    came_s: float


def request(path: str, body: bytes = b"", method: str = "POST", **headers: str) -> bytes:
    """The bytes of a request; header names have _ for -."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


# What a normal client asks: an MNIST image as raw bytes.
NORMAL = request("/api/predict?width=28&height=28", bytes(28 * 28), Content_Type="application/octet-stream")
READY = request("/v2/health/ready", method="GET")


def read(connection: socket.socket, asked_s: float = 0.0) -> Answer:
    """The next answer on a connection.

    Raises:
        OSError, http.client.HTTPException: none came, or not all of it.
    """
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, asked_s, time.monotonic())
    finally:
        response.close()


def ask(address: Address, asked: bytes, patience_s: float = PATIENCE_S) -> Answer:
    """The answer to one request on a connection of its own."""
    asked_s = time.monotonic()
    with socket.create_connection(address, patience_s) as connection:
        connection.sendall(asked)
        return read(connection, asked_s)


@dataclass
class Tally:
    """What became of the requests of several clients.

    Attributes:
        answers: in the order in which they came, for each client.
        lost: why, for each request that was sent, at least in part, and has no complete answer.
        n_refused: connections that nobody took.
        n_closed: connections that the server closed while no request was under way.
    """

    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    n_refused: int = 0
    n_closed: int = 0

    @property
    def statuses(self) -> Counter[int]:
        """Number of answers by status."""
        return Counter(answer.status for answer in self.answers)


class Clients:
    """Threads that go through some requests, over and over; each sends the next one when it has its answer."""

    def __init__(self, address: Address, requests: Sequence[bytes], n_clients: int) -> None:
        self.tally = Tally()
        self._address, self._requests = address, requests
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(n_clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns once the requests under way have ended."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection, number = None, 0
        while not self._is_over.is_set():
            if connection is None:
                try:
                    connection = socket.create_connection(self._address, PATIENCE_S)
                except OSError:
                    self.tally.n_refused += 1
                    self._is_over.wait(0.02)
                    continue
            if select.select([connection], [], [], 0)[0]:  # nothing was asked, so this is its end
                connection.close()
                connection = None
                self.tally.n_closed += 1
                continue
            asked_s = time.monotonic()
            try:
                connection.sendall(self._requests[number % len(self._requests)])
                answer = read(connection, asked_s)
            except (OSError, http.client.HTTPException) as error:
                self.tally.lost.append(repr(error))
                connection.close()
                connection = None
                continue
            self.tally.answers.append(answer)
            number += 1
            if answer.headers.get("connection") == "close":
                connection.close()
                connection = None
        if connection:
            connection.close()


@contextmanager
def asking(address: Address, *requests: bytes, n_clients: int = 8) -> Iterator[Tally]:
    """Clients that ask for as long as the context lasts; their tally is complete after it."""
    clients = Clients(address, requests, n_clients)
    clients.start()
    try:
        yield clients.tally
    finally:
        clients.stop()
