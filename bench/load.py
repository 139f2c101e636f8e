"""A load generator for HTTP/1.1: one request, sent over and over on keep-alive connections. Standard library only.

`closed` sends the next request of a connection when the answer to the last one has come, and so finds what a service
can do. `open_loop` sends at times that the service has no say in, and counts latency from when a request was due, so
that a service that falls behind can't hide it.

One thread, one prepared request, one look at the head of each answer: it is to cost far less than what it measures.
"""

import math
import re
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

Address = tuple[str, int]

RECEIVE_BYTES = 1 << 18
TIMEOUT_S = 10.0  # for a connection, for a single answer, and for what is under way when a run ends
# A selector wakes up to a millisecond late: the last one before a request is due is spent asking again and again.
WAKE_EARLY_S = 0.001
TICK_S = 0.05  # how often a run looks whether it is over

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked")
CLOSE = re.compile(rb"^http/1\.0(?!.*\r\nconnection: *keep-alive)|\r\nconnection: *close", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its head in lower case, its body with the chunks joined, and whether it is the last."""

    status: int
    head: bytes
    body: bytes
    is_last: bool


@dataclass
class Outcome:
    """What became of the requests.

    Attributes:
        seconds: that were measured, without the warm-up.
        latencies: seconds of each answer by status, in the order in which they came.
        n_lost: requests without an answer: the connection ended, or nothing came in time.
        n_refused: connections that could not be made; each is given up.
    """

    seconds: float
    latencies: dict[int, list[float]] = field(default_factory=dict)
    n_lost: int = 0
    n_refused: int = 0

    @property
    def statuses(self) -> Counter[int]:
        """Number of answers by status."""
        return Counter({status: len(values) for status, values in self.latencies.items()})

    def rate(self, status: int = 200) -> float:
        """Answers of a status per second."""
        return self.statuses[status] / self.seconds

    def percentile(self, percent: float, status: int = 200) -> float:
        """Latency in seconds that so many percent of a status's answers don't exceed; NaN without an answer."""
        ordered = sorted(self.latencies.get(status, ()))
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def http_request(path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST") -> bytes:
    """The bytes of a request; Host and Content-Length are added."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def ask(address: Address, request: bytes) -> Answer:
    """The answer to one request, on a connection of its own.

    Raises:
        OSError: nobody listens, the connection ended early, or no answer came in time.
    """
    received = b""
    with socket.create_connection(address, TIMEOUT_S) as connection:
        connection.sendall(request)
        while True:
            data = connection.recv(RECEIVE_BYTES)
            received += data
            answer = parse(received, is_closed=not data)
            if answer:
                return answer
            if not data:
                raise ConnectionResetError("the connection ended before the answer was complete")


def parse(received: bytes, is_closed: bool) -> Answer | None:
    """The answer in what has come so far; None where more of it is to come."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, start = received[:end].lower(), end + 4
    status, is_last = int(head[9:12]), CLOSE.search(head) is not None
    if length := LENGTH.search(head):
        stop = start + int(length[1])
        return Answer(status, head, received[start:stop], is_last) if len(received) >= stop else None
    if CHUNKED.search(head):
        body = _joined(received, start)
        return None if body is None else Answer(status, head, body, is_last)
    return Answer(status, head, received[start:], True) if is_closed else None  # its end is the connection's


def _joined(received: bytes, start: int) -> bytes | None:
    body = b""
    while (line_end := received.find(b"\r\n", start)) >= 0:
        size = int(received[start:line_end].partition(b";")[0], 16)
        start = line_end + 2 + size + 2
        if len(received) < start:
            return None
        if size == 0:
            return body
        body += received[line_end + 2 : start - 2]
    return None


class _Connection:
    """A connection, and of the request under way on it: when it was due, what is still to be sent, what has come."""

    __slots__ = ("due_s", "events", "is_waiting", "received", "socket", "unsent")

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.events = selectors.EVENT_READ
        self.unsent = memoryview(b"")
        self.received = b""
        self.due_s = 0.0
        self.is_waiting = False


class _Client:
    """The connections, which of them are free, and a record of each answer: when due, when come, its status."""

    def __init__(self, address: Address, request: bytes, n_connections: int) -> None:
        self.connections: set[_Connection] = set()
        self.free: deque[_Connection] = deque()
        self.record: list[tuple[float, float, int]] = []
        self.n_lost = self.n_refused = 0
        self._address, self._request = address, request
        self._selector = selectors.DefaultSelector()
        for _ in range(n_connections):
            self._connect()

    def send(self, due_s: float) -> None:
        """Send the request on the connection that has been free for longest; its latency counts from `due_s`."""
        connection = self.free.popleft()
        connection.due_s, connection.is_waiting, connection.received = due_s, True, b""
        connection.unsent = memoryview(self._request)
        self._write(connection)

    def poll(self, timeout_s: float) -> None:
        """Wait for answers, at most so long, and take them; connections that ended are made anew."""
        for key, events in self._selector.select(timeout_s):
            if events & selectors.EVENT_WRITE:
                self._write(key.data)
            if events & selectors.EVENT_READ:
                self._read(key.data)

    def finish(self) -> None:
        """Wait for what is under way, at most `TIMEOUT_S`, and close the connections; what is missing is lost."""
        end_s = time.perf_counter() + TIMEOUT_S
        while len(self.free) < len(self.connections) and time.perf_counter() < end_s:
            self.poll(TICK_S)
        self.n_lost += len(self.connections) - len(self.free)
        for connection in self.connections:
            connection.socket.close()
        self._selector.close()

    def outcome(self, start_s: float, end_s: float) -> Outcome:
        """What came of the requests that were due in this time."""
        latencies: dict[int, list[float]] = {}
        for due_s, come_s, status in self.record:
            if start_s <= due_s < end_s:
                latencies.setdefault(status, []).append(come_s - due_s)
        return Outcome(end_s - start_s, latencies, self.n_lost, self.n_refused)

    def _connect(self) -> None:
        try:
            connection = _Connection(self._address)
        except OSError:
            self.n_refused += 1
            return
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.connections.add(connection)
        self.free.append(connection)

    def _renew(self, connection: _Connection) -> None:
        with suppress(ValueError):
            self.free.remove(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self.connections.remove(connection)
        self._connect()

    def _write(self, connection: _Connection) -> None:
        try:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            connection.unsent = connection.unsent[:0]  # that the connection has ended is read next
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if events != connection.events:
            connection.events = events
            self._selector.modify(connection.socket, events, connection)
            if not connection.unsent and not connection.is_waiting:
                self.free.append(connection)  # it was answered, as a refusal is, before all of its request was sent

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not connection.is_waiting:
            self._renew(connection)
            return
        connection.received += data
        answer = parse(connection.received, is_closed=not data)
        if answer:
            self.record.append((connection.due_s, time.perf_counter(), answer.status))
            connection.is_waiting = False
        elif not data:
            self.n_lost += 1
        if not data or (answer and answer.is_last):
            self._renew(connection)
        elif answer and not connection.unsent:
            self.free.append(connection)


def closed(
    address: Address, request: bytes, n_connections: int = 1, seconds: float = 2.0, warm_up_s: float = 0.3
) -> Outcome:
    """Each connection sends its next request when the answer to the last one has come.

    What is under way at the end is waited for: the measured time lasts until the last answer.
    """
    client = _Client(address, request, n_connections)
    start_s = time.perf_counter() + warm_up_s
    while client.connections and time.perf_counter() < start_s + seconds:
        while client.free:
            client.send(time.perf_counter())
        client.poll(TICK_S)
    client.finish()
    return client.outcome(start_s, time.perf_counter())


def open_loop(
    address: Address,
    request: bytes,
    due: Iterable[float],
    n_connections: int = 64,
    seconds: float = 2.0,
    warm_up_s: float = 0.3,
) -> Outcome:
    """Requests are due at set times, whatever becomes of them; one that finds no free connection waits for the next.

    Args:
        address: host and port.
        request: as `http_request` makes it.
        due: when, in seconds from the start of the warm-up, ascending; as `bench.arrivals` makes them.
        n_connections: at most so many requests are under way.
        seconds: in which requests are due; answers are then waited for, `TIMEOUT_S` at most.
        warm_up_s: before that, not counted.
    """
    client, times = _Client(address, request, n_connections), iter(due)
    waiting: deque[float] = deque()
    start_s = now_s = time.perf_counter()
    next_s = start_s + next(times, math.inf)
    end_s = start_s + warm_up_s + seconds
    while client.connections and (next_s < end_s or waiting) and now_s < end_s + TIMEOUT_S:
        while next_s < min(now_s, end_s):
            waiting.append(next_s)
            next_s = start_s + next(times, math.inf)
        while waiting and client.free:
            client.send(waiting.popleft())
        client.poll(TICK_S if waiting else min(TICK_S, max(0.0, next_s - now_s - WAKE_EARLY_S)))
        now_s = time.perf_counter()
    client.n_lost += len(waiting)
    client.finish()
    return client.outcome(start_s + warm_up_s, end_s)
