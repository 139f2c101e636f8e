"""The processes that answer: one, or several on one listening socket under a supervisor.

The supervisor forks them, starts one anew where one dies, passes signals on, and carries a worker's word to the others:
a model that is loaded or unloaded in one is so in all before the client that asked for it has its answer.
"""

import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from serving.app import create_app
from serving.control import Control
from serving.errors import StartError
from serving.metrics import Metrics
from serving.server import GRACE_S, Server, keep_memory_small, raise_file_limit
from serving.settings import Settings
from serving.shadow import Shadow
from serving.shadow import start as start_shadow

log = logging.getLogger(__name__)

# What the supervisor passes on.
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# A worker that died is started again, but not sooner than this after its start.
RESTART_S = 1.0

# After this, on top of the time that a worker may take to end, it is ended.
PATIENCE_S = 5.0


def serve(settings: Settings, listener: socket.socket, address: str) -> None:
    """Serves until the process is told to end.

    Args:
        settings: of the service.
        listener: a listening socket.
        address: where it listens, for the announcement.

    Raises:
        StartError: the service cannot start.
    """
    raise_file_limit(settings.max_connections)
    keep_memory_small()
    # One row for each worker, and one for the shadow model.
    metrics = Metrics(settings.workers + 1)
    shadow = None
    if settings.shadow:
        shadow = start_shadow(settings.shadow, settings.shadow_share, metrics, settings.workers)
    if settings.workers > 1:
        Supervisor(settings, listener, metrics, address, shadow).run()
        return
    shell = create_app(settings, metrics, shadow)
    Server(shell, lambda: announce(shell.engine.model.card.version, address)).run(sockets=[listener])


def announce(version: str, address: str) -> None:
    """Says that clients may come."""
    print(f"Inkling {version} is listening on {address}", flush=True)


@dataclass
class _Worker:
    index: int
    pid: int
    line: socket.socket
    started_s: float
    is_ready: bool = False
    unread: bytes = b""

    def tell(self, message: dict[str, Any]) -> None:
        try:
            self.line.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return  # it has died; the other end of the line says so too

    def messages(self) -> Iterator[dict[str, Any]] | None:
        """What it has said since; None where it has died."""
        try:
            data = self.line.recv(65536)
        except OSError:
            data = b""
        if not data:
            return None
        *lines, self.unread = (self.unread + data).split(b"\n")
        return map(json.loads, lines)


class Supervisor:
    """The parent of the workers; it answers nothing itself, and has neither threads nor an event loop to be forked."""

    def __init__(
        self, settings: Settings, listener: socket.socket, metrics: Metrics, address: str, shadow: Shadow | None
    ) -> None:
        """Will serve on `listener`; the other arguments are those of `serve`, and the workers' own."""
        self.settings = settings
        self.listener = listener
        self.metrics = metrics
        self.address = address
        self.shadow = shadow
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._restarts: dict[int, float] = {}  # index of a worker that died: when it may start again
        self._awaited: dict[tuple[int, int], set[int]] = {}  # a worker's word: who has not yet acted on it
        self._is_announced = False
        self._is_unloaded = False
        self._killed_at_s: float | None = None  # set once the service is to end

    def run(self) -> None:
        """Serves until told to end.

        Raises:
            StartError: a worker could not start; it has said why.
        """
        wakeup, notice = socket.socketpair()
        for end in (wakeup, notice):
            end.setblocking(False)
        signal.set_wakeup_fd(notice.fileno())
        for handled in HANDLED:
            signal.signal(handled, lambda *_: None)  # the wake-up descriptor carries its number
        self._selector.register(wakeup, selectors.EVENT_READ)
        for index in range(self.settings.workers):
            self._start(index)
        while self._workers or self._restarts:
            for key, _ in self._selector.select(0.2):
                if key.data is None:
                    for number in wakeup.recv(64):
                        self._on_signal(number)
                else:
                    self._on_line(key.data)
            self._keep_going()
        if not self._is_announced and self._killed_at_s is None:
            raise StartError("A worker could not start.")

    def _start(self, index: int) -> None:
        ours, theirs = socket.socketpair()
        # Until a new worker has handlers of its own, a signal would go to ours, and be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        pid = os.fork()
        if not pid:
            ours.close()
            self._become_worker(index, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        theirs.close()
        self._workers[index] = worker = _Worker(index, pid, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _become_worker(self, index: int, line: socket.socket) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for handled in HANDLED:
                signal.signal(handled, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            for other in self._workers.values():
                other.line.close()
            self._selector.close()
            self.metrics.count_as(index)
            self.metrics.reset_gauges()
            shell = create_app(self.settings, self.metrics, self.shadow)
            control = Control(line, shell.app.state.lifecycle)
            server = Server(shell, lambda: control.say({"ready": shell.engine.model.card.version}))
            server.companions.append(control.listen(server.end))
            server.run(sockets=[self.listener])
            code = 0
        except StartError as error:
            print(f"python -m serving: {error}", file=sys.stderr, flush=True)
        except Exception:
            log.exception("A worker failed.")
        finally:
            os._exit(code)  # never back into the supervisor's code

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            for worker in self._workers.values():
                worker.tell({"command": "load"})
        elif number in (signal.SIGTERM, signal.SIGINT):
            wait_s = self.settings.drain_s + GRACE_S + PATIENCE_S
            self._killed_at_s = self._killed_at_s or time.monotonic() + wait_s
            self._restarts.clear()
            self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)  # a child is there until it is waited for

    def _on_line(self, worker: _Worker) -> None:
        messages = worker.messages()
        if messages is None:
            self._bury(worker)
            return
        for message in messages:
            if "ready" in message:
                self._on_ready(worker, message["ready"])
            elif "command" in message:
                self._is_unloaded = message["command"] == "unload"
                origin = (worker.index, message["id"])
                others = [other for other in self._workers.values() if other is not worker]
                self._awaited[origin] = {other.index for other in others}
                for other in others:
                    other.tell({"command": message["command"], "origin": origin})
            elif message["origin"]:
                self._awaited[tuple(message["origin"])].discard(worker.index)
        self._report_done()

    def _on_ready(self, worker: _Worker, version: str) -> None:
        worker.is_ready = True
        if self._is_unloaded:
            worker.tell({"command": "unload"})
        if not self._is_announced and all(worker.is_ready for worker in self._workers.values()):
            self._is_announced = True
            announce(version, self.address)

    def _report_done(self) -> None:
        for origin in [origin for origin, awaited in self._awaited.items() if not awaited]:
            del self._awaited[origin]
            index, number = origin
            if index in self._workers:
                self._workers[index].tell({"done": number})

    def _bury(self, worker: _Worker) -> None:
        _, status = os.waitpid(worker.pid, 0)
        self._selector.unregister(worker.line)
        worker.line.close()
        del self._workers[worker.index]
        for awaited in self._awaited.values():
            awaited.discard(worker.index)
        self._report_done()
        if self._killed_at_s is not None:
            return
        if not self._is_announced:  # the others would fail alike
            self._signal(signal.SIGINT)
            self._killed_at_s = time.monotonic() + PATIENCE_S
            raise StartError("A worker could not start.")
        log.error("Worker %d died (%d); another takes its place.", worker.pid, os.waitstatus_to_exitcode(status))
        self._restarts[worker.index] = worker.started_s + RESTART_S

    def _keep_going(self) -> None:
        now_s = time.monotonic()
        for index in [index for index, at_s in self._restarts.items() if at_s <= now_s]:
            del self._restarts[index]
            self._start(index)
        if self._killed_at_s is not None and now_s > self._killed_at_s:
            self._signal(signal.SIGKILL)
