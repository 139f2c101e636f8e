"""Start a server, and measure it under load."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.jobs import is_right
from bench.load import WRONG, Address, ask, closed_loop
from pipeline.base.errors import InklingError

SERVER_CORE, CLIENT_CORE = 0, 1
N_FOR_P99 = 1000  # good answers below which there is no p99
START_LIMIT_S = 120.0
STOP_LIMIT_S = 5.0
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

Figures = dict[str, float]


class ServerError(InklingError):
    """A server cannot be installed, started or measured."""


def set_up() -> None:
    """Pin this process to the client's core, and ensure that every server ends with it.

    Raises:
        ServerError: the machine has one core.
    """
    if (os.cpu_count() or 1) < 2:
        raise ServerError("server and client need a core each, and this machine has one")
    os.sched_setaffinity(0, {CLIENT_CORE})
    # Orphans of a server become children of this process, so `_end` finds them, too.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


class Server:
    """A running server and the seconds of its start."""

    def __init__(self, process: psutil.Popen, address: Address, start_s: float) -> None:
        self._process, self.address, self.start_s = process, address, start_s

    def cpu_s(self) -> dict[int, float]:
        """Return the processor time of each process so far, in seconds with its ended children, by process ID."""
        return {process.pid: sum(process.cpu_times()[:4]) for process in _tree(self._process)}

    def memory_mb(self) -> float:
        """Return the memory of all its processes in MB (10^6 bytes). Shared memory counts once."""
        return sum(process.memory_full_info().pss for process in _tree(self._process)) / 1e6


@contextmanager
def running(
    command: Sequence[str], request: bytes, cores: Collection[int] | None = None, pause_s: float = 0.01, **options: Any
) -> Iterator[Server]:
    """Start a server, wait for its first right answer, and end all its processes afterwards.

    Args:
        command: its command. {port} is replaced by a free port.
        request: a request that `is_right` can check.
        cores: the cores of its processes, by default those of this process.
        pause_s: pause between two attempts to reach it.
        options: those of `subprocess.Popen`.

    Raises:
        ServerError: it exited, or gave no right answer in time.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    started, reason = time.perf_counter(), ""
    # In a session of its own: Ctrl-C ends the bench, which ends the server.
    process = psutil.Popen(
        [word.replace("{port}", str(address[1])) for word in command],
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores or os.sched_getaffinity(0)),
        **options,
    )
    try:
        while (passed := time.perf_counter() - started) < START_LIMIT_S and process.poll() is None:
            try:
                if is_right(answer := ask(address, request)):
                    break
                reason = f"status {answer.status}: {answer.body[:200].decode(errors='replace')}"
            except (OSError, EOFError) as error:
                reason = str(error)
            time.sleep(pause_s)
        else:
            name = Path(command[0]).name
            raise ServerError(f"{name} is not up after {passed:.0f} s: {reason}; status {process.poll()}")
        yield Server(process, address, time.perf_counter() - started)
    finally:
        _end(process)


def measure(server: Server, request: bytes, n_connections: int, seconds: float) -> Figures:
    """Measure latency, good answers per second and processor time per good answer under load.

    Good answers are right and have status 200. The time is prolonged until there are enough for a p99, if possible.

    Raises:
        ServerError: an answer was wrong, or none was good.
    """
    outcome = closed_loop(server.address, request, n_connections, seconds, n_good=N_FOR_P99, is_right=is_right,
                          meter=lambda: sum(server.cpu_s().values()))  # fmt: skip
    n_good = outcome.statuses[200]
    if outcome.statuses[WRONG] or not n_good:
        raise ServerError(f"answers by status: {dict(outcome.statuses)} ({WRONG}: wrong digit), {outcome.n_lost} lost")
    figures = {
        "p50_ms": 1e3 * outcome.percentile(50),
        "requests_per_s": outcome.rate(),
        "failed_percent": 100 * outcome.n_failed / (n_good + outcome.n_failed),
        "cpu_us": 1e6 * outcome.metered / n_good,
    }
    return figures | ({"p99_ms": 1e3 * outcome.percentile(99)} if n_good >= N_FOR_P99 else {})


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _end(process: psutil.Popen) -> None:
    if process.poll() is None:
        process.terminate()
    _, left = psutil.wait_procs([process, *psutil.Process().children(recursive=True)], STOP_LIMIT_S)
    for one in left:
        one.kill()
    psutil.wait_procs(left, STOP_LIMIT_S)
