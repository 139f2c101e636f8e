"""A peer's environment, its running server, and its measurements."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.load import WRONG, Address, ask, closed_loop
from bench.peers.jobs import is_right
from bench.peers.table import SERVERS, Peer
from pipeline.base.errors import InklingError
from pipeline.base.paths import OUTPUTS, ROOT

SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = (1, 16, 64, 256)
N_FOR_P99 = 1000  # good answers below which there is no p99
START_LIMIT_S = 120.0
STOP_LIMIT_S = 5.0
WARM_UP_S = 0.3
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Some libraries start one thread per core of the machine.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Figures = dict[str, float]


class PeerError(InklingError):
    """A peer cannot be installed, started or measured."""


def set_up() -> None:
    """Pin this process to the client's core, and ensure that every server ends with it.

    Raises:
        PeerError: the machine has one core.
    """
    if (os.cpu_count() or 1) < 2:
        raise PeerError("server and client need a core each, and this machine has one")
    os.sched_setaffinity(0, {CLIENT_CORE})
    # Orphans of a server become children of this process, so `_end` finds them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def home(peer: Peer) -> Path:
    """Return the directory of a peer's environment."""
    return OUTPUTS / "peers" / (peer.environment or peer.name).lower().replace(" ", "").replace("+", "-")


def build(peer: Peer) -> None:
    """Install a peer's environment, unless it exists with the same requirements.

    Raises:
        PeerError: a command failed; the message contains its last output.
    """
    directory, done = home(peer), home(peer) / "requirements.txt"
    if done.exists() and done.read_text() == peer.requirements:
        return
    print(f"{peer.name}: installing into {directory}", flush=True)
    _run(peer, "{ours} -m venv --clear {home}")
    wanted = directory / "wanted.txt"
    wanted.write_text(peer.requirements)
    _run(peer, "{python} -m pip install --quiet -r {home}/wanted.txt")
    for command in peer.prepare:
        _run(peer, command)
    wanted.rename(done)


def _run(peer: Peer, command: str) -> None:
    done = subprocess.run(
        _fill(peer, command), cwd=ROOT, env=_environ(peer), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PeerError(f"`{command}` failed: {done.stderr.strip()[-500:]}")


def _fill(peer: Peer, command: str, port: int = 0) -> list[str]:
    directory = home(peer)
    places = {"bin": directory / "bin", "python": directory / "bin" / "python", "home": directory, "servers": SERVERS}
    return [word.format(**places, ours=sys.executable, port=port) for word in command.split()]


def _environ(peer: Peer) -> dict[str, str]:
    own = {name: value.format(home=home(peer)) for name, value in peer.variables.items()}
    # Some peers start programs by name, which must come from their own environment.
    path = f"{home(peer) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | ONE_THREAD | own | {"PATH": path}


def seconds_to_digit(
    process: subprocess.Popen[bytes], address: Address, request: bytes, pause_s: float = 0.01
) -> float:
    """Wait for a server's first correct answer, and return the seconds.

    Args:
        process: process of the server, just started.
        address: address on which it will listen.
        request: request with a known answer.
        pause_s: pause between two attempts.

    Raises:
        PeerError: it exited, or gave no correct answer in time.
    """
    started = time.perf_counter()
    reason = ""
    while (passed := time.perf_counter() - started) < START_LIMIT_S and process.poll() is None:
        try:
            answer = ask(address, request)
            if is_right(answer):
                return time.perf_counter() - started
            reason = f"status {answer.status}: {answer.body[:200].decode(errors='replace')}"
        except OSError as error:
            reason = str(error)
        time.sleep(pause_s)
    ended = f", it ended with {process.returncode}" if process.returncode is not None else ""
    raise PeerError(f"not up after {passed:.0f} s ({reason}){ended}")


def free_address() -> Address:
    """Return an address with a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()


class Server:
    """A running peer, with all its processes on the given cores."""

    def __init__(self, peer: Peer, process: subprocess.Popen[bytes], address: Address) -> None:
        self.peer, self.address = peer, address
        self._process = process
        try:
            self.start_s = seconds_to_digit(process, address, peer.forms[0].request)
        except PeerError as error:
            raise PeerError(f"{error}; see {_log(peer).relative_to(OUTPUTS.parent)}") from None

    def tree(self) -> list[psutil.Process]:
        """Return all its processes."""
        return _tree(self._process.pid)

    def cpu_s(self) -> float:
        """Return the processor time of all its processes so far, in seconds, including ended ones."""
        return sum(sum(process.cpu_times()[:4]) for process in self.tree())

    def memory_mb(self) -> float:
        """Return the memory of all its processes in MB (10^6 bytes). Shared memory counts once."""
        return sum(process.memory_full_info().pss for process in self.tree()) / 1e6


def measure(server: Server, request: bytes, n_connections: int, seconds: float) -> Figures:
    """Measure latency, good answers per second and processor time per good answer under load.

    Good answers are correct and have status 200. The time is prolonged until there are enough for a p99, if possible.

    Raises:
        PeerError: an answer was wrong, or none was good.
    """
    outcome = closed_loop(
        server.address, request, n_connections, seconds, WARM_UP_S, N_FOR_P99, is_right, meter=server.cpu_s
    )
    n_good = outcome.statuses[200]
    if outcome.statuses[WRONG] or not n_good:
        raise PeerError(f"answers by status: {dict(outcome.statuses)} ({WRONG}: wrong digit), {outcome.n_lost} lost")
    figures = {
        "p50_ms": 1e3 * outcome.percentile(50),
        "requests_per_s": outcome.rate(),
        "failed_percent": 100 * outcome.n_failed / (n_good + outcome.n_failed),
        "cpu_us": 1e6 * outcome.metered / n_good,
    }
    return figures | ({"p99_ms": 1e3 * outcome.percentile(99)} if n_good >= N_FOR_P99 else {})


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _log(peer: Peer) -> Path:
    return OUTPUTS / "peers" / f"{peer.name}.log"


@contextmanager
def running(peer: Peer, cores: Collection[int] = (SERVER_CORE,)) -> Iterator[Server]:
    """Start a peer's server on these cores, and end all its processes afterwards.

    Raises:
        PeerError: it does not start, or gives no correct answer.
    """
    address = free_address()
    with _log(peer).open("wb") as log:
        process = subprocess.Popen(
            _fill(peer, peer.command, address[1]),
            cwd=home(peer),
            env=_environ(peer),
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends the bench, which ends the server
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            yield Server(peer, process, address)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    processes = _tree(process.pid)
    process.terminate()
    psutil.wait_procs(processes, STOP_LIMIT_S)
    # Includes orphans of its session.
    left = [child for child in _tree(os.getpid())[1:] if child in processes or _session(child) == process.pid]
    for one in left:
        one.kill()
    psutil.wait_procs(left, STOP_LIMIT_S)
    process.wait()


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return 0
