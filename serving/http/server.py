"""The server: uvicorn's, which ends without losing a request."""

import asyncio
import contextlib
import ctypes
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

# How long requests that are under way may take to end.
GRACE_S = 10

# For connections whose opening handshake was under way when the listener was closed to new ones.
HANDSHAKE_S = 0.1

# Files that a process has open besides its connections.
N_OTHER_FILES = 256

# Blocks of memory from this size are the system's own; it is more than what is run on the event loop takes.
M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BLOCK_BYTES = 4 * 2**20

TICKS_A_SECOND = 10  # uvicorn's

# A filter on a listening socket that drops the packets which open a connection, and no other: the classic BPF program
# "load byte 13 of the TCP header, the flags; if SYN is set, drop, else take" (linux/filter.h, RFC 9293 3.1).
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


class Server(uvicorn.Server):
    """Serves until it is told to end.

    On SIGTERM the service is no longer ready, and tells clients to close their connections, but goes on for `drain_s`,
    so that load balancers notice. Then it takes no new connections, and answers what has been sent to it. SIGINT, and
    a second SIGTERM, skip the wait.
    """

    def __init__(self, middleware: Middleware, when_started: Callable[[], None]) -> None:
        """Serves `middleware`; calls `when_started` once it listens."""
        super().__init__(
            uvicorn.Config(
                middleware,
                # uvloop where it is installed; it does not exist for Windows.
                loop="auto",
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=math.ceil(middleware.settings.idle_timeout_s),
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self.middleware = middleware
        # Run beside the server, for as long as it serves.
        self.companions: list[Coroutine[Any, Any, None]] = []
        if middleware.settings.watch:
            self.companions.append(middleware.app.state.lifecycle.watch())
        self._when_started = when_started
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends_s = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens."""
        await super().startup(sockets)
        for companion in self.companions:
            self._accompany(companion)
        reload = self.middleware.app.state.lifecycle.reload
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: self._accompany(reload()))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])  # one that came during the start is heard now
        self._when_started()

    def _accompany(self, companion: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(companion)
        self._tasks.add(task)
        task.add_done_callback(self._part)

    def _part(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("What ran beside the server has failed: %s.", task.get_name(), exc_info=error)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called on SIGTERM and SIGINT."""
        self.end(self.middleware.settings.drain_s if sig == signal.SIGTERM and not self.middleware.is_draining else 0)

    def end(self, wait_s: float = 0) -> None:
        """Ends the service after `wait_s` seconds."""
        self.middleware.is_draining = True
        self._ends_s = time.monotonic() + wait_s

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; returns whether the service ends."""
        now_s = time.monotonic()
        for connection in [*self.server_state.connections]:
            if isinstance(connection, Connection) and connection.deadline_s < now_s:
                connection.expire()
        self.middleware.metrics.connections.set(len(self.server_state.connections))
        if counter % TICKS_A_SECOND == 0:
            self.middleware.metrics.measure_process()
        await super().on_tick(counter)
        return now_s >= self._ends_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no new connections, answers those that there are, and returns."""
        for listener in sockets or []:
            _refuse_connections(listener)
        await asyncio.sleep(HANDSHAKE_S)
        await super().shutdown(sockets)


def _refuse_connections(listener: socket.socket) -> None:
    """Lets no more connections be opened; those in the listener's queue, which closing would reset, are still taken.

    Only Linux can; elsewhere a connection that is opened at the very end may be reset.
    """
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in DROP_SYN)
    buffer = ctypes.create_string_buffer(program)
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(DROP_SYN), ctypes.addressof(buffer)))


def take_connections(listener: socket.socket) -> None:
    """Lets connections be opened again: of several workers, one that ended alone had it refused to all."""
    with contextlib.suppress(OSError):  # it was not refused
        listener.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def raise_file_limit(n_connections: int) -> None:
    """Lets the process have so many connections, if the system does: each is a file, and the usual limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * n_connections + N_OTHER_FILES  # as many again are being refused at most
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def keep_memory_small() -> None:
    """Has what a large picture takes given back at once: glibc would keep blocks of up to 32 MB, 600 MB in all."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
