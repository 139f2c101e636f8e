"""The processes that answer: one, or several on one listening socket under a supervisor.

The supervisor forks them, starts one anew where one dies, passes signals on, and keeps them on one model, by the words
that `serving.reload.control` lists. That model is a copy of the user's file, made at the start and whenever a worker
has found a new one good: a worker that is started anew never meets a file that nobody has checked.
"""

import asyncio
import logging
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import replace
from typing import NoReturn

from serving.app import create_app
from serving.errors import StartError
from serving.http.server import GRACE_S, Server, keep_memory_small, raise_file_limit, take_connections
from serving.metrics import Metrics
from serving.reload.agreement import Agreement, Worker
from serving.reload.control import Control
from serving.reload.shadow import Shadow
from serving.reload.shadow import start as start_shadow
from serving.settings import PROGRAM, Settings

log = logging.getLogger(__name__)

# What the supervisor passes on.
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# A worker that died is started again, but not sooner than this after its start; where it could not even start, each
# time twice as long after.
RESTART_S = 1.0
MAX_RESTART_S = 30.0

# How often the shadow model's process is looked after.
REAP_S = 1.0

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
        shadow = start_shadow(settings.shadow, settings.shadow_share, metrics, settings.workers, listener)
    if settings.workers > 1:
        Supervisor(settings, listener, metrics, address, shadow).run()
        return
    middleware = create_app(settings, metrics, shadow)
    server = Server(middleware, lambda: announce(middleware.engine.model.card.version, address))
    if shadow:
        server.companions.append(_reap(shadow))
    server.run(sockets=[listener])


async def _reap(shadow: Shadow) -> None:
    while shadow.pid:
        await asyncio.sleep(REAP_S)
        shadow.reap()


def announce(version: str, address: str) -> None:
    """Says that clients may come."""
    print(f"Inkling {version} is listening on {address}", flush=True)


class Supervisor:
    """The parent of the workers; it answers nothing itself, and has neither threads nor an event loop to be forked."""

    def __init__(
        self, settings: Settings, listener: socket.socket, metrics: Metrics, address: str, shadow: Shadow | None
    ) -> None:
        """Will serve on `listener`; the other arguments are those of `serve`, and the workers' own.

        Raises:
            StartError: the model file cannot be copied.
        """
        self.settings = settings
        self.listener = listener
        self.metrics = metrics
        self.address = address
        self.shadow = shadow
        self.agreement = Agreement(settings.model)
        self._workers: dict[int, Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._restarts: dict[int, float] = {}  # index of a worker that died: when it may start again
        self._waits_s: dict[int, float] = {}  # index of a worker that could not start: how long the next one waited
        self._is_announced = False
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
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        self._selector.register(wakeup, selectors.EVENT_READ)
        for index in range(self.settings.workers):
            self._start(index)
        try:
            while self._workers or self._restarts:
                for key, _ in self._selector.select(0.2):
                    if key.data is None:
                        for number in wakeup.recv(64):
                            self._on_signal(number)
                    else:
                        self._on_line(key.data)
                self._keep_going()
        finally:
            self.agreement.close()
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
        self._workers[index] = worker = Worker(index, pid, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _become_worker(self, index: int, line: socket.socket) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for handled in HANDLED:
                signal.signal(handled, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, set(HANDLED) - {signal.SIGHUP})  # which the server unblocks
            for other in self._workers.values():
                other.line.close()
            self._selector.close()
            self.metrics.count_as(index)
            self.metrics.reset_gauges()
            # One watches for all; its successor has its index.
            settings = replace(self.settings, model=self.agreement.model, watch=self.settings.watch and index == 0)
            middleware = create_app(settings, self.metrics, self.shadow)
            middleware.app.state.lifecycle.follow(self.settings.model, self.agreement.stamp)
            version = middleware.engine.model.card.version
            if self.agreement.is_unloaded:
                middleware.engine.predictor = None
            control = Control(line, middleware.app.state.lifecycle, self.agreement.folder)
            server = Server(middleware, lambda: control.say({"ready": version}))
            server.companions.append(control.listen(server.end))
            server.run(sockets=[self.listener])
            code = 0
        except StartError as error:
            # The user knows the file, not its copy.
            text = str(error).replace(str(self.agreement.model), str(self.settings.model))
            print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)
        except Exception:
            log.exception("A worker failed.")
        finally:
            os._exit(code)  # never back into the supervisor's code

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            for worker in list(self._workers.values())[:1]:  # it tells the others
                worker.tell({"reload": True})
        elif number in (signal.SIGTERM, signal.SIGINT):
            wait_s = self.settings.drain_s + GRACE_S + PATIENCE_S
            self._killed_at_s = self._killed_at_s or time.monotonic() + wait_s
            self._restarts.clear()
            self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)  # a child is there until it is waited for

    def _on_line(self, worker: Worker) -> None:
        messages = worker.messages()
        if messages is None:
            self._bury(worker)
            return
        for message in messages:
            if "ready" in message:
                self._on_ready(worker, message["ready"])
            elif "ask" in message:
                self.agreement.ask(worker, message["id"], message["ask"], self._workers.values())
            else:
                self.agreement.did(worker, message["did"], message["error"])

    def _on_ready(self, worker: Worker, version: str) -> None:
        worker.is_ready = True
        self._waits_s.pop(worker.index, None)
        if not self._is_announced and all(worker.is_ready for worker in self._workers.values()):
            self._is_announced = True
            announce(version, self.address)

    def _bury(self, worker: Worker) -> None:
        _, status = os.waitpid(worker.pid, 0)
        self._selector.unregister(worker.line)
        worker.line.close()
        del self._workers[worker.index]
        self.agreement.bury(worker)
        if self._killed_at_s is not None:
            return
        if not self._is_announced:  # the others would fail alike
            self._signal(signal.SIGINT)
            self._killed_at_s = time.monotonic() + PATIENCE_S
            raise StartError("A worker could not start.")
        take_connections(self.listener)
        code = os.waitstatus_to_exitcode(status)
        wait_s = self._waits_s.get(worker.index, RESTART_S)
        if not worker.is_ready:
            wait_s = self._waits_s[worker.index] = min(2 * wait_s, MAX_RESTART_S)
        how = "ended" if worker.is_ready else "could not start"
        log.error("Worker %d %s (%d); another takes its place.", worker.pid, how, code)
        self._restarts[worker.index] = worker.started_s + wait_s

    def _keep_going(self) -> None:
        if self.shadow:
            self.shadow.reap()
        now_s = time.monotonic()
        for index in [index for index, at_s in self._restarts.items() if at_s <= now_s]:
            del self._restarts[index]
            self._start(index)
        if self._killed_at_s is not None and now_s > self._killed_at_s:
            self._signal(signal.SIGKILL)
