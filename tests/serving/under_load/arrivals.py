"""Requests that arrive whether or not the service keeps up: an open loop, on one thread that costs little."""

import random
import re
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from .client import Address

DRAIN_S = 5.0
LENGTH = re.compile(rb"content-length: (\d+)")


@dataclass
class Outcome:
    """What became of the requests.

    Attributes:
        seconds: in which they were due.
        latencies: seconds from when each was due to its answer, by status.
        n_lost: without an answer.
    """

    seconds: float
    latencies: dict[int, list[float]] = field(default_factory=dict)
    n_lost: int = 0

    def rate(self, status: int = 200) -> float:
        """Answers per second."""
        return len(self.latencies.get(status, ())) / self.seconds

    def percentile(self, percent: float, status: int = 200) -> float:
        """Latency that so many percent do not exceed."""
        ordered = sorted(self.latencies[status])
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def is_complete(answer: bytes) -> bool:
    """Whether this is a whole answer, which must have a Content-Length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return len(body) == int(LENGTH.search(head)[1]) if body else False


def drive(
    address: Address,
    asked: bytes,
    n_connections: int,
    seconds: float,
    rate: float | None = None,
    warm_up_s: float = 0.5,
) -> Outcome:
    """Sends one request over and over.

    Args:
        address: host and port.
        asked: the bytes of the request.
        n_connections: at most so many are under way.
        seconds: in which requests are due, after the warm-up.
        rate: per second, with exponential gaps; None for a closed loop: due as soon as a connection is free.
        warm_up_s: not counted.
    """
    generator = random.Random(0)
    selector = selectors.EpollSelector()
    free: deque[socket.socket] = deque()
    for _ in range(n_connections):
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        free.append(connection)
    due: dict[socket.socket, float] = {}
    waiting: deque[float] = deque()
    read: dict[socket.socket, bytes] = {}
    outcome = Outcome(seconds)
    now_s = next_s = time.perf_counter()
    start_s = now_s + warm_up_s
    end_s = start_s + seconds
    while now_s < end_s or (due and now_s < end_s + DRAIN_S):
        while rate and next_s < min(now_s, end_s):
            waiting.append(next_s)
            next_s += generator.expovariate(rate)
        while free and now_s < end_s and (waiting or not rate):
            connection = free.popleft()
            due[connection] = waiting.popleft() if rate else now_s
            connection.send(asked)
        # Asked again and again, as a selector wakes up to a millisecond late.
        for key, _ in selector.select(0):
            answer = read[key.fileobj] = read.get(key.fileobj, b"") + key.fileobj.recv(65536)
            came_s = time.perf_counter()
            if not is_complete(answer):
                continue
            del read[key.fileobj]
            due_s = due.pop(key.fileobj)
            if start_s <= due_s < end_s:
                outcome.latencies.setdefault(int(answer[9:12]), []).append(came_s - due_s)
            free.append(key.fileobj)
        now_s = time.perf_counter()
    outcome.n_lost = len(due) + len(waiting)
    for connection in [*free, *due]:
        connection.close()
    return outcome
