"""A load generator for HTTP/1.1 that repeats one request on keep-alive connections. Standard library only.

`closed_loop` sends the next request on a connection when the previous one is answered. This measures the capacity of a
service. `open_loop` sends requests at given times. Latency counts from the time when a request was due, so it also
includes the delay of a service that falls behind.

The generator has one thread and one prepared request, and parses only the head of each answer. So it needs far less
processor time than the service.
"""

import math
import re
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

Address = tuple[str, int]

RECEIVE_BYTES = 1 << 18
TIMEOUT_S = 10.0  # limit for a connection, for an answer, and for open requests at the end of a run
# A selector may return a millisecond late, so the generator polls in the last millisecond before a request is due.
WAKE_EARLY_S = 0.001
TICK_S = 0.05  # interval between checks for the end of a run
PROLONGED_S = 240.0  # limit for prolonging a closed loop that has too few answers
WRONG = 0  # status of an answer with status 200 that is not right

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked")
CLOSE = re.compile(rb"^http/1\.0(?!.*\r\nconnection: *keep-alive)|\r\nconnection: *close", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """An answer. The head is in lower case, the chunks of the body are joined; `is_last`: the connection ends."""

    status: int
    head: bytes
    body: bytes
    is_last: bool


Check = Callable[[Answer], bool]


@dataclass
class Outcome:
    """Result of a run.

    Attributes:
        seconds: measured time, without the warm-up.
        latencies: seconds of each answer by status, in order of arrival. A wrong answer has the status `WRONG`.
        n_lost: number of requests without an answer, because the connection ended or the time was up.
        n_refused: number of connections that could not be opened; they are not retried.
        metered: increase of the meter in the measured time.
    """

    seconds: float
    latencies: dict[int, list[float]] = field(default_factory=dict)
    n_lost: int = 0
    n_refused: int = 0
    metered: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """Return the number of answers by status."""
        return Counter({status: len(values) for status, values in self.latencies.items()})

    def rate(self, status: int = 200) -> float:
        """Return the number of answers with this status per second."""
        return self.statuses[status] / self.seconds

    @property
    def n_failed(self) -> int:
        """Return the number of requests without a good answer."""
        return self.n_lost + self.n_refused + self.statuses.total() - self.statuses[200]

    def percentile(self, percent: float, status: int = 200) -> float:
        """Return a percentile of the latency in seconds, or NaN if there are no answers with this status."""
        ordered = sorted(self.latencies.get(status, ()))
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def http_request(path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST") -> bytes:
    """Return the bytes of a request, with Host and Content-Length."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def ask(address: Address, request: bytes) -> Answer:
    """Send one request on a new connection, and return the answer.

    Raises:
        OSError: nothing listens, the connection ended early, or no answer came in time.
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
    """Return the answer in the received bytes, or None if it is incomplete."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, start = received[:end].lower(), end + 4
    status, is_last = int(head[9:12]), CLOSE.search(head) is not None
    if length := LENGTH.search(head):
        stop = start + int(length[1])
        return Answer(status, head, received[start:stop], is_last) if len(received) >= stop else None
    if CHUNKED.search(head):
        body = _join_chunks(received, start)
        return None if body is None else Answer(status, head, body, is_last)
    return (
        Answer(status, head, received[start:], True) if is_closed else None
    )  # without a length, the connection ends the body


def _join_chunks(received: bytes, start: int) -> bytes | None:
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
    """A connection and its open request: due time, unsent bytes and received bytes."""

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
    """All connections, the free connections, and for each answer its due time, arrival time and status."""

    def __init__(self, address: Address, request: bytes, n_connections: int, is_right: Check | None) -> None:
        self.connections: set[_Connection] = set()
        self.free: deque[_Connection] = deque()
        self.record: list[tuple[float, float, int]] = []
        self.n_good = self.n_lost = self.n_refused = 0
        self._address, self._request, self._is_right = address, request, is_right
        self._right: set[bytes] = set()  # bodies that were checked
        self._selector = selectors.DefaultSelector()
        for _ in range(n_connections):
            self._connect()

    def send(self, due_s: float) -> None:
        """Send the request on the connection that has been free the longest. Its latency counts from `due_s`."""
        connection = self.free.popleft()
        connection.due_s, connection.is_waiting, connection.received = due_s, True, b""
        connection.unsent = memoryview(self._request)
        self._write(connection)

    def poll(self, timeout_s: float) -> None:
        """Wait for answers, at most `timeout_s`, and record them. Replace connections that ended."""
        for key, events in self._selector.select(timeout_s):
            if events & selectors.EVENT_WRITE:
                self._write(key.data)
            if events & selectors.EVENT_READ:
                self._read(key.data)

    def keep_busy(self, seconds: float, n_good: int = 0) -> None:
        """Send requests on all free connections, at least one on each, and wait for their answers.

        Args:
            seconds: time in which requests are sent.
            n_good: number of good answers for which the time is prolonged, by `PROLONGED_S` at most.
        """
        end_s, n_good = time.perf_counter() + seconds, self.n_good + n_good
        while self.connections:
            while self.free:
                self.send(time.perf_counter())
            self.poll(TICK_S)
            if time.perf_counter() >= end_s + PROLONGED_S * (self.n_good < n_good):
                break
        self.wait()

    def wait(self) -> None:
        """Wait for open requests, at most `TIMEOUT_S`."""
        end_s = time.perf_counter() + TIMEOUT_S
        while len(self.free) < len(self.connections) and time.perf_counter() < end_s:
            self.poll(TICK_S)

    def close(self) -> None:
        """Close the connections. Count open requests as lost."""
        self.n_lost += len(self.connections) - len(self.free)
        for connection in self.connections:
            connection.socket.close()
        self._selector.close()

    def outcome(self, start_s: float, end_s: float) -> Outcome:
        """Return the outcome of the requests that were due between these times."""
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
            connection.unsent = connection.unsent[:0]  # the next read notices that the connection ended
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if events != connection.events:
            connection.events = events
            self._selector.modify(connection.socket, events, connection)
            if not connection.unsent and not connection.is_waiting:
                self.free.append(connection)  # a rejection may arrive before the whole request is sent

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
            come_s, status = time.perf_counter(), self._status(answer)
            self.record.append((connection.due_s, come_s, status))
            self.n_good += status == 200
            connection.is_waiting = False
        elif not data:
            self.n_lost += 1
        if not data or (answer and answer.is_last):
            self._renew(connection)
        elif answer and not connection.unsent:
            self.free.append(connection)

    def _status(self, answer: Answer) -> int:
        if answer.status == 200 and self._is_right and answer.body not in self._right:
            if not self._is_right(answer):
                return WRONG
            self._right.add(answer.body)
        return answer.status


def closed_loop(
    address: Address,
    request: bytes,
    n_connections: int = 1,
    seconds: float = 2.0,
    warm_up_s: float = 0.3,
    n_good: int = 0,
    is_right: Check | None = None,
    meter: Callable[[], float] = float,
) -> Outcome:
    """Send a request on each connection as soon as the previous one is answered.

    The measured time lasts until the answer to the last open request.

    Args:
        address: host and port.
        request: result of `http_request`.
        n_connections: number of connections.
        seconds: time in which requests are sent.
        warm_up_s: time before that, not measured. A server may accept connections slowly while it is busy, so the
            measurement starts when every connection has got an answer.
        n_good: number of good answers for which the time is prolonged, by `PROLONGED_S` at most.
        is_right: check of the answers with status 200, called once for each different body.
        meter: called at the start and the end of the measured time, for example for the server's processor time.
    """
    client = _Client(address, request, n_connections, is_right)
    if warm_up_s:
        client.keep_busy(warm_up_s)
    start_s, metered = time.perf_counter(), meter()
    client.keep_busy(seconds, n_good)
    end_s, metered = time.perf_counter(), meter() - metered
    client.close()
    return replace(client.outcome(start_s, end_s), metered=metered)


def open_loop(
    address: Address,
    request: bytes,
    due: Iterable[float],
    n_connections: int = 64,
    seconds: float = 2.0,
    warm_up_s: float = 0.3,
    is_right: Check | None = None,
) -> Outcome:
    """Send requests at given times. A request waits while no connection is free.

    Args:
        address: host and port.
        request: result of `http_request`.
        due: due times in seconds from the start of the warm-up, ascending, for example from `bench.arrivals`.
        n_connections: maximum number of open requests.
        seconds: time in which requests are due; afterwards it waits for answers, at most `TIMEOUT_S`.
        warm_up_s: time before that, not measured.
        is_right: check of the answers with status 200, called once for each different body.
    """
    client, times = _Client(address, request, n_connections, is_right), iter(due)
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
    client.wait()
    client.close()
    return client.outcome(start_s + warm_up_s, end_s)
