"""The worker processes: one process, or several that share a listening socket under a supervisor.

The supervisor forks the workers, replaces those that die, and forwards signals. With the messages of
`serving.reload.control` it makes all workers use the same model. The workers load a copy of the user's file, so a new
worker never loads an unchecked file. The copy is made at the start and at each reload.
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
from serving.http.server import GRACE_S, Server, accept_connections, check_uvicorn, limit_heap, raise_file_limit
from serving.metrics import Metrics
from serving.reload.agreement import Agreement, Worker
from serving.reload.control import Control
from serving.reload.shadow import Shadow
from serving.reload.shadow import start as start_shadow
from serving.settings import PROGRAM, Settings

log = logging.getLogger(__name__)

# Signals that the supervisor forwards.
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Shortest time between two starts of a worker. It doubles after each failed start.
RESTART_S = 1.0
MAX_RESTART_S = 30.0

# Interval between checks whether the shadow model's process has ended.
REAP_S = 1.0

# Extra time for a worker to stop before it is killed.
PATIENCE_S = 5.0


def serve(settings: Settings, listener: socket.socket, address: str) -> None:
    """Serve on a listening socket until a signal stops the process. Announce `address`.

    Raises:
        StartError: the service cannot start.
    """
    check_uvicorn()
    raise_file_limit(settings.max_connections)
    limit_heap()
    metrics = Metrics(settings.workers + 1)  # and a row for the shadow model
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
    """Print that the service is ready."""
    print(f"Inkling {version} is listening on {address}", flush=True)


class Supervisor:
    """The parent process of the workers. It has no threads and no event loop, so that it can fork."""

    def __init__(
        self, settings: Settings, listener: socket.socket, metrics: Metrics, address: str, shadow: Shadow | None
    ) -> None:
        """Copy the model file. `metrics` and `shadow` are shared by the workers; for the rest see `serve`.

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
        self._restarts: dict[int, float] = {}  # time of the next start, by index of a dead worker
        self._waits_s: dict[int, float] = {}  # last wait, by index of a worker that could not start
        self._is_announced = False
        self._killed_at_s: float | None = None  # set when the service stops

    def run(self) -> None:
        """Serve until a signal stops the service.

        Raises:
            StartError: a worker could not start; it has printed the reason.
        """
        wakeup, notice = socket.socketpair()
        for end in (wakeup, notice):
            end.setblocking(False)
        signal.set_wakeup_fd(notice.fileno())
        for handled in HANDLED:
            signal.signal(handled, lambda *_: None)  # `wakeup` receives the number of the signal
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
                        self._on_messages(key.data)
                self._check_deadlines()
        finally:
            self.agreement.close()
        if not self._is_announced and self._killed_at_s is None:
            raise StartError("A worker could not start.")

    def _start(self, index: int) -> None:
        ours, theirs = socket.socketpair()
        # Block signals until the new worker has its own handlers, because the supervisor's handlers would lose them.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        pid = os.fork()
        if not pid:
            ours.close()
            self._run_worker(index, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        theirs.close()
        self._workers[index] = worker = Worker(index, pid, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _run_worker(self, index: int, line: socket.socket) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for handled in HANDLED:
                signal.signal(handled, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, set(HANDLED) - {signal.SIGHUP})  # the server unblocks SIGHUP
            for other in self._workers.values():
                other.line.close()
            self._selector.close()
            self.metrics.count_as(index)
            self.metrics.reset_gauges()
            # Only one worker watches the file. If it dies, its replacement gets the same index.
            settings = replace(self.settings, model=self.agreement.model, watch=self.settings.watch and index == 0)
            middleware = create_app(settings, self.metrics, self.shadow)
            middleware.service.lifecycle.follow(self.settings.model, self.agreement.stamp)
            version = middleware.engine.model.card.version
            if self.agreement.is_unloaded:
                middleware.engine.predictor = None
            control = Control(line, middleware.service.lifecycle, self.agreement.folder)
            server = Server(middleware, lambda: control.say({"ready": version}))
            server.companions.append(control.listen(server.end))
            server.run(sockets=[self.listener])
            code = 0
        except StartError as error:
            # The user knows the original, not the copy.
            text = str(error).replace(str(self.agreement.model), str(self.settings.model))
            print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)
        except Exception:
            log.exception("A worker failed.")
        finally:
            os._exit(code)  # never return to the supervisor's code

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            for worker in list(self._workers.values())[:1]:  # this worker reloads for all workers
                worker.tell({"reload": True})
        elif number in (signal.SIGTERM, signal.SIGINT):
            wait_s = self.settings.drain_s + GRACE_S + PATIENCE_S
            self._killed_at_s = self._killed_at_s or time.monotonic() + wait_s
            self._restarts.clear()
            self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)  # the process ID exists until `waitpid`

    def _on_messages(self, worker: Worker) -> None:
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
        if not self._is_announced:  # the other workers would fail, too
            self._signal(signal.SIGINT)
            self._killed_at_s = time.monotonic() + PATIENCE_S
            raise StartError("A worker could not start.")
        accept_connections(self.listener)
        code = os.waitstatus_to_exitcode(status)
        wait_s = self._waits_s.get(worker.index, RESTART_S)
        if not worker.is_ready:
            wait_s = self._waits_s[worker.index] = min(2 * wait_s, MAX_RESTART_S)
        what = "ended" if worker.is_ready else "could not start"
        log.error("Worker %d %s (%d); a new one replaces it.", worker.pid, what, code)
        self._restarts[worker.index] = worker.started_s + wait_s

    def _check_deadlines(self) -> None:
        if self.shadow:
            self.shadow.reap()
        now_s = time.monotonic()
        for index in [index for index, at_s in self._restarts.items() if at_s <= now_s]:
            del self._restarts[index]
            self._start(index)
        if self._killed_at_s is not None and now_s > self._killed_at_s:
            self._signal(signal.SIGKILL)
