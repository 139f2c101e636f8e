"""The worker processes: one process, or several that share a listening socket under a supervisor.

The supervisor forks the workers, replaces those that die or hang, and forwards signals.
"""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from typing import NoReturn

from serving.app import create_app
from serving.errors import ModelError, StartError
from serving.http.server import GRACE_S, Server, accept_connections, limit_heap, raise_file_limit
from serving.metrics import Metrics
from serving.reload.lifecycle import Lifecycle
from serving.reload.shadow import Shadow
from serving.reload.shared import SharedModel
from serving.settings import PROGRAM, Settings
from serving.signature import load_key
from serving.version import inkling_version

log = logging.getLogger(__name__)

# Signals that the supervisor waits for. A timer sends SIGALRM at each tick.
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM}
TICK_S = 0.1

# Ticks without a beat after which a worker is killed: 30 s. The longest work on the event loop takes milliseconds.
# Ticks are counted because a supervisor that was suspended, with its workers, has seen no time pass.
MAX_STILL_TICKS = 300

# Shortest time between two starts of a worker.
RESTART_S = 1.0

# Extra time for a worker to stop before it is killed.
PATIENCE_S = 5.0


def serve(settings: Settings, listener: socket.socket, address: str) -> None:
    """Serve on a listening socket until a signal stops the process. Announce `address`.

    Raises:
        StartError: the service cannot start.
    """
    raise_file_limit(settings.max_connections)
    limit_heap()
    metrics = Metrics(settings.workers + 1)  # and a row for the shadow model
    shadow = None
    if settings.shadow:
        key = load_key(settings.public_key)
        shadow = Shadow.start(settings.shadow, metrics, settings.workers, listener, key)
    if settings.workers == 1:
        Server(create_app(settings, metrics, shadow), lambda: announce(address)).run(sockets=[listener])
    else:
        Supervisor(settings, listener, address, metrics, shadow).run()


def announce(address: str) -> None:
    """Print that the service is ready."""
    print(f"Inkling {inkling_version()} is listening on {address}", flush=True)


@dataclass
class Worker:
    """A worker, as its supervisor sees it. A new process replaces one that has ended."""

    index: int
    pid: int = 0  # 0 if there is no process
    started_s: float = 0.0  # by `time.monotonic`
    n_beats: int = 0  # at the last tick; 0 until it listens
    n_still_ticks: int = 0  # since the last beat


@dataclass
class Supervisor:
    """The parent process of the workers. It has no threads and no event loop, so that it can fork."""

    settings: Settings
    listener: socket.socket
    address: str
    metrics: Metrics
    shadow: Shadow | None

    def __post_init__(self) -> None:
        """Copy the model for all workers."""
        self.shared = SharedModel(self.settings.model, self.settings.workers, load_key(self.settings.public_key))
        self._pid = os.getpid()
        self._workers = [Worker(index) for index in range(self.settings.workers)]
        self._is_announced = False
        self._killed_at_s = math.inf  # set when the service stops

    def run(self) -> None:
        """Serve until a signal stops the service.

        Raises:
            StartError: a worker could not start; it has printed the reason.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)
        for worker in self._workers:
            self._start(worker)
        while (running := [worker for worker in self._workers if worker.pid]) or self._killed_at_s == math.inf:
            number = signal.sigwait(SIGNALS)
            if number == signal.SIGALRM:
                for worker in self._workers:
                    self._tick(worker)
                if not self._is_announced and all(self.shared.beats):
                    self._is_announced = True
                    announce(self.address)
                continue
            if number == signal.SIGHUP:  # one worker reloads for all, the liveliest
                running = sorted(running, key=lambda worker: worker.n_still_ticks)[:1]
            else:
                self._killed_at_s = min(
                    self._killed_at_s, time.monotonic() + self.settings.drain_s + GRACE_S + PATIENCE_S
                )
            for worker in running:
                os.kill(worker.pid, number)  # the process ID exists until `waitpid`

    def _start(self, worker: Worker) -> None:
        worker.started_s = time.monotonic()
        self.shared.beats[worker.index] = worker.n_beats = worker.n_still_ticks = 0
        worker.pid = os.fork()
        if not worker.pid:
            self._run_worker(worker.index)

    def _run_worker(self, index: int) -> NoReturn:
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS - {signal.SIGHUP})  # the server unblocks SIGHUP
            self.metrics.count_as(index)
            self.metrics.reset_gauges()
            self.shared.worker = index
            # Only one worker watches the file. If it dies, its replacement gets the same index.
            settings = replace(self.settings, watch=self.settings.watch and index == 0)
            middleware = create_app(settings, self.metrics, self.shadow, self.shared)
            server = Server(middleware, self.shared.beat)
            server.companions.append(self._follow(middleware.service.lifecycle, server))
            server.run(sockets=[self.listener])
            code = 0
        except StartError as error:
            print(f"{PROGRAM}: {error}", file=sys.stderr, flush=True)
        except Exception:
            log.exception("A worker failed.")
        finally:
            os._exit(code)  # never return to the supervisor's code

    async def _follow(self, lifecycle: Lifecycle, server: Server) -> None:
        """Take up each model that the workers share. End this worker if it cannot, or if its supervisor has died."""
        try:
            while os.getppid() == self._pid:
                self.shared.beat()
                await lifecycle.take_up()
                await asyncio.sleep(TICK_S)
        except ModelError as error:
            log.error("This worker cannot load the model of the others, so a new one replaces it. %s", error)
        finally:
            server.end()

    def _tick(self, worker: Worker) -> None:
        """Start, replace or kill a worker if it is time to."""
        now_s, is_ending = time.monotonic(), self._killed_at_s < math.inf
        if not worker.pid:
            if now_s > worker.started_s + RESTART_S and not is_ending:
                self._start(worker)
            return
        n_beats = self.shared.beats[worker.index]
        worker.n_still_ticks = worker.n_still_ticks + 1 if n_beats == worker.n_beats else 0
        worker.n_beats = n_beats
        pid, status = os.waitpid(worker.pid, os.WNOHANG)
        if pid:
            worker.pid = 0
            if not is_ending:
                self._on_death(pid, os.waitstatus_to_exitcode(status))
        elif now_s > self._killed_at_s:
            os.kill(worker.pid, signal.SIGKILL)
        elif worker.n_still_ticks == MAX_STILL_TICKS and not is_ending:
            log.error("Worker %d has hung for %.0f s and is killed.", worker.pid, MAX_STILL_TICKS * TICK_S)
            os.kill(worker.pid, signal.SIGKILL)

    def _on_death(self, pid: int, code: int) -> None:
        if not self._is_announced:  # the other workers would fail, too
            for other in self._workers:
                if other.pid:
                    os.kill(other.pid, signal.SIGINT)
            raise StartError("A worker could not start.")
        log.error("Worker %d ended (%d); a new one replaces it.", pid, code)
        accept_connections(self.listener)
