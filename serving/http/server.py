"""The HTTP server: uvicorn with a shutdown that loses no request."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import math
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import uvicorn

from serving.http.connection import Connection
from serving.http.middleware import Middleware

log = logging.getLogger(__name__)

# Time for the open requests to finish.
GRACE_S = 10

# uvloop accepts one connection of each listener in an iteration of the event loop, which may take some milliseconds.
# With several copies of the listener, it accepts as many.
N_ACCEPTED = 16

# Time for the handshakes that were open when the listener stopped accepting new ones.
HANDSHAKE_S = 0.1

# Files that a process opens besides its connections.
N_OTHER_FILES = 256

# Memory blocks of this size or more are mapped separately. Work on the event loop needs only smaller blocks.
M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BLOCK_BYTES = 4 * 2**20

TICKS_A_SECOND = 10  # uvicorn's

# A filter for a listening socket that drops only packets that open a connection. Classic BPF program: "load byte 13
# of the TCP header, the flags; if SYN is set, drop, else accept" (linux/filter.h, RFC 9293 3.1).
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


class Server(uvicorn.Server):
    """A server that drains before it stops.

    On SIGTERM the service reports "not ready" and asks clients to close their connections. It serves for another
    `drain_s` seconds, so that load balancers notice. Then it accepts no new connections, and answers all requests that
    it has received. SIGINT and a second SIGTERM skip the wait.
    """

    def __init__(self, middleware: Middleware, when_started: Callable[[], None]) -> None:
        """Serve `middleware`. Call `when_started` when the server listens."""
        super().__init__(
            uvicorn.Config(
                middleware,
                loop="auto",  # uvloop where it is installed
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self.middleware = middleware
        self.companions: list[Coroutine[Any, Any, None]] = []  # tasks that run until the server stops
        if middleware.settings.watch:
            self.companions.append(middleware.service.lifecycle.watch())
        self._when_started = when_started
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends_s = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, start the companions and handle SIGHUP."""
        await super().startup([one.dup() for one in sockets or [] for _ in range(N_ACCEPTED)])
        for companion in self.companions:
            self._accompany(companion)
        reload = self.middleware.service.lifecycle.reload
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: self._accompany(reload()))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])  # handles a SIGHUP that came during the start
        gc.freeze()  # the objects of the start stay, so collections need not visit them
        self._when_started()

    def _accompany(self, companion: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(companion)
        self._tasks.add(task)
        task.add_done_callback(self._log_failure)

    def _log_failure(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A background task failed: %s.", task.get_name(), exc_info=error)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT."""
        is_patient = sig == signal.SIGTERM and not self.middleware.service.is_draining
        self.end(self.middleware.settings.drain_s if is_patient else 0)

    def end(self, wait_s: float = 0) -> None:
        """Stop the service after `wait_s` seconds."""
        self.middleware.service.is_draining = True
        self._ends_s = time.perf_counter() + wait_s

    async def on_tick(self, counter: int) -> bool:
        """Close overdue connections and update the metrics. uvicorn calls this ten times a second.

        Returns:
            whether the service stops now.
        """
        now_s = time.perf_counter()
        for connection in [*self.server_state.connections]:
            if isinstance(connection, Connection) and connection.deadline_s < now_s:
                connection.expire()
        self.middleware.metrics.connections.set(len(self.server_state.connections))
        if counter % TICKS_A_SECOND == 0:
            self.middleware.metrics.measure_process()
        await super().on_tick(counter)
        return now_s >= self._ends_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no new connections, and answer the requests of the open connections."""
        for listener in sockets or []:
            _refuse_connections(listener)
        await asyncio.sleep(HANDSHAKE_S)
        await super().shutdown(sockets)


def _refuse_connections(listener: socket.socket) -> None:
    """Reject new connections, but keep the queued ones, which closing the listener would reset.

    Only Linux supports this. Elsewhere, a connection that is opened at the last moment may be reset.
    """
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in DROP_SYN)
    buffer = ctypes.create_string_buffer(program)
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(DROP_SYN), ctypes.addressof(buffer)))


def accept_connections(listener: socket.socket) -> None:
    """Accept connections again, because a worker that ended made the shared listener reject them."""
    with contextlib.suppress(OSError):  # there is no filter
        listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def raise_file_limit(n_connections: int) -> None:
    """Raise the limit of open files to what the connections need, as far as the system allows. The default is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * n_connections + N_OTHER_FILES  # twice, because rejected connections may still be open
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def limit_heap() -> None:
    """Return the memory of large pictures to the system at once. glibc would keep up to 600 MB."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
