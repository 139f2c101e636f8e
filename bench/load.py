"""A load generator for HTTP/1.1 that repeats one request on keep-alive connections.

`closed_loop` sends the next request on a connection when the previous one is answered. This measures the capacity of a
service. `open_loop` sends requests at given times. Latency counts from the time when a request was due, so it also
includes the delay of a service that falls behind.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter as now
from typing import Any

import numpy as np
import uvloop

Address = tuple[str, int]

TIMEOUT_S = 10.0  # limit for an answer to `ask`, and for open requests at the end of a run
WAKE_EARLY_S = 0.002  # timers are up to a millisecond late
PROLONGED_S = 240.0  # limit for prolonging a closed loop that has too few answers
WRONG = 0  # status of an answer with status 200 that is not right

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
CLOSE = re.compile(rb"^http/1\.0(?!.*\r\nconnection: *keep-alive)|\r\nconnection: *close", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """An answer. The head is in lower case, and the chunks of the body are joined."""

    status: int
    head: bytes
    body: bytes


Check = Callable[[Answer], bool]


@dataclass
class Outcome:
    """Result of a run.

    Attributes:
        seconds: measured time, without the warm-up.
        latencies: seconds of each answer by status. A wrong answer has the status `WRONG`.
        n_lost: number of requests without an answer, and of connections that could not be opened.
        metered: increase of the meter in the measured time.
    """

    seconds: float = 0.0
    latencies: dict[int, list[float]] = field(default_factory=dict)
    n_lost: int = 0
    metered: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """Return the number of answers by status."""
        return Counter({status: len(values) for status, values in self.latencies.items()})

    @property
    def n_failed(self) -> int:
        """Return the number of requests without a good answer."""
        return self.n_lost + self.statuses.total() - self.statuses[200]

    def rate(self, status: int = 200) -> float:
        """Return the number of answers with this status per second."""
        return self.statuses[status] / self.seconds

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latency of the good answers in seconds."""
        return float(np.percentile(self.latencies[200], percent))


def http_request(path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a POST request, with Host and Content-Length."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def read(reader: asyncio.StreamReader) -> Answer:
    """Read an answer.

    Raises:
        EOFError: the connection ended early.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if length := LENGTH.search(head):
        body = await reader.readexactly(int(length[1]))
    elif b"\r\ntransfer-encoding: chunked" in head:
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        body = await reader.read()
    return Answer(int(head[9:12]), head, body)


def ask(address: Address, request: bytes) -> Answer:
    """Send one request on a new connection, and return the answer.

    Raises:
        OSError, EOFError: nothing listens, the connection ended early, or no answer came in time.
    """

    async def run() -> Answer:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request)
        try:
            return await asyncio.wait_for(read(reader), TIMEOUT_S)
        finally:
            writer.close()

    return asyncio.run(run())


class _Connection:
    """A connection, which is opened for its first request, and again after it was closed."""

    def __init__(self, address: Address, request: bytes, is_right: Check | None = None) -> None:
        self._address, self._request, self._is_right = address, request, is_right
        self._right: set[bytes] = set()  # bodies that were checked
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, outcome: Outcome, next_due: Callable[[], Awaitable[float | None]]) -> None:
        """Send the request whenever `next_due` returns, until it returns None. Otherwise it returns the due time."""
        while (due_s := await next_due()) is not None:
            try:
                if self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(*self._address)
            except OSError:
                outcome.n_lost += 1
                return
            answer = None
            try:
                self._writer.write(self._request)
                answer = await read(self._reader)
                outcome.latencies.setdefault(self._status(answer), []).append(now() - due_s)
            except (OSError, EOFError):
                outcome.n_lost += 1
            finally:  # also if it is cancelled
                if answer is None or CLOSE.search(answer.head):
                    self.close()

    def close(self) -> None:
        """Close the connection. The next request opens it again."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _status(self, answer: Answer) -> int:
        if answer.status == 200 and self._is_right and answer.body not in self._right:
            if not self._is_right(answer):
                return WRONG
            self._right.add(answer.body)
        return answer.status


async def _wait(tasks: Iterable[asyncio.Task[None]], outcome: Outcome, seconds: float) -> None:
    """Wait for the tasks of connections. Count open requests as lost when the time is up."""
    _, pending = await asyncio.wait(tasks, timeout=seconds)
    for task in pending:
        task.cancel()
    outcome.n_lost += len(pending)


def _run(connections: Iterable[_Connection], load: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run a load, and close its connections."""

    async def run() -> Outcome:
        outcome = await load
        for connection in connections:
            connection.close()
        await asyncio.sleep(0.01)  # the loop closes them when it iterates, and can't end with open ones
        return outcome

    return uvloop.run(run())


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
    """Send a request on each connection as soon as the previous one is answered, for some seconds.

    The measured time begins after the warm-up, when every connection has got an answer, and lasts until the answer to
    the last open request. It is prolonged by `PROLONGED_S` at most, until `n_good` answers are good. `is_right` checks
    the answers with status 200, once for each different body of a connection. `meter` is called at the start and the
    end of the measured time, for example for the server's processor time.
    """
    connections = [_Connection(address, request, is_right) for _ in range(n_connections)]

    async def keep_busy(seconds: float, n_good: int) -> Outcome:
        outcome, start_s, metered = Outcome(), now(), meter()

        async def next_due() -> float | None:
            due_s = now()
            is_short = len(outcome.latencies.get(200, ())) < n_good
            return due_s if due_s < start_s + seconds + PROLONGED_S * is_short else None

        tasks = [asyncio.create_task(one.send(outcome, next_due)) for one in connections]
        await _wait(tasks, outcome, seconds + PROLONGED_S * (n_good > 0) + TIMEOUT_S)
        outcome.seconds, outcome.metered = now() - start_s, meter() - metered
        return outcome

    async def run() -> Outcome:
        await keep_busy(warm_up_s, 0)
        return await keep_busy(seconds, n_good)

    return _run(connections, run())


def open_loop(address: Address, request: bytes, due: Iterable[float], n_connections: int, seconds: float) -> Outcome:
    """Send requests at due times, ascending seconds from the start. A request waits while no connection is free.

    After `seconds`, in which all are due, it waits for answers, at most `TIMEOUT_S`.
    """
    connections = [_Connection(address, request) for _ in range(n_connections)]

    async def run() -> Outcome:
        outcome, waiting, start_s = Outcome(seconds), asyncio.Queue[float | None](), now()
        tasks = [asyncio.create_task(one.send(outcome, waiting.get)) for one in connections]
        for due_s in due:
            while (early_s := start_s + due_s - now()) > 0:
                await asyncio.sleep(early_s - WAKE_EARLY_S if early_s > WAKE_EARLY_S else 0)
            waiting.put_nowait(start_s + due_s)
        for _ in tasks:
            waiting.put_nowait(None)
        await _wait(tasks, outcome, TIMEOUT_S)
        outcome.n_lost += sum(waiting.get_nowait() is not None for _ in range(waiting.qsize()))
        return outcome

    return _run(connections, run())
