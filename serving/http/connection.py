"""The connection of one client: uvicorn's class with the deadlines and limits that uvicorn leaves to a proxy."""

import asyncio
import math
import time
from functools import cache
from typing import Any

from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from serving.errors import (
    BadRequestError,
    HeadTooLargeError,
    OverloadedError,
    RequestError,
    SlowClientError,
    TooLargeError,
)
from serving.http.middleware import UNCACHED, Middleware
from serving.http.responses import error_response
from serving.http.timing import Timing

MAX_HEAD_BYTES = 32 * 1024

# Slowest accepted rate of a body: its bytes extend the deadline. A slow mobile connection is a few times faster.
MIN_BODY_BYTES_PER_S = 8 * 1024

# Limit of the pieces of a body, because each piece costs a call. Clients send pieces of some kB.
MAX_BODY_PIECES = 20_000

# Bytes of a piece besides its data: the line with its length.
PIECE_HEAD_BYTES = 16

# Requests that a client may send without waiting for the previous responses. Most clients send none.
MAX_PIPELINED = 16

# Limit of all bodies together. Above it, no body may exceed MAX_SMALL_BODY_BYTES.
MAX_BODIES_BYTES = 128 * 2**20
MAX_SMALL_BODY_BYTES = 64 * 1024

# Time for the model to run and the client to read the response.
ANSWER_S = 60

# Time in which a client may still send after an error response. A connection that is closed at once would be reset,
# and the client would never read the response.
LINGER_S = 2

# Time for the first request of a connection that was opened just before the listener closed.
FIRST_REQUEST_S = 1

# Routes that are never rejected, because monitoring must work under overload too.
PROBES = ("/ready", "/live", "/metrics")

OVERLOADED = OverloadedError()


class Connection(HttpToolsProtocol):
    """The protocol of one connection. The server calls `expire` after `deadline_s`.

    Attributes:
        deadline_s: deadline of the next head, body, response or request, by `time.monotonic`.
    """

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        """Initialize the connection; uvicorn calls this."""
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, Middleware)
        self.middleware = config.app
        self.admission = config.app.admission
        self.settings = config.app.settings
        self.deadline_s = math.inf
        self._started_s = time.perf_counter()  # start of the connection, then of each request
        self._is_idle = False  # between two requests
        self._is_receiving = False  # a body
        self._running: RequestResponseCycle | None = None  # with pipelining, not the request that was read last
        self._n_accepted = 0  # accepted requests without an answer: 0 or 1
        self._n_receiving = 0  # accepted requests whose body is incomplete
        self._is_refused = False  # the last response was sent, so all further data is ignored
        self._n_head_bytes = self._n_body_bytes = self._n_pieces = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first head."""
        super().connection_made(transport)
        self.deadline_s = time.monotonic() + self.settings.head_timeout_s
        if len(self.connections) > 2 * self.settings.max_connections:
            self._abort()  # even a response would cost too much
        elif len(self.connections) > self.settings.max_connections:
            self.refuse(OVERLOADED)

    def connection_lost(self, exc: Exception | None) -> None:
        """Subtract the requests and bytes of this connection from the shared counters."""
        self._disconnect()
        self._count(0, 0)
        self._release_body()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the deadline of a head. Limit the size of everything except the content of bodies."""
        if self._is_refused:
            return
        if self._is_idle:
            self._is_idle = False
            self._started_s = time.perf_counter()
            self.deadline_s = time.monotonic() + self.settings.head_timeout_s
        self._n_head_bytes += len(data)
        super().data_received(data)
        if self._n_head_bytes > MAX_HEAD_BYTES:
            self.refuse(HeadTooLargeError(f"The request's line and headers have more than {MAX_HEAD_BYTES} bytes."))

    def on_message_begin(self) -> None:
        """Stop the parser if the connection is being closed.

        Raises:
            ConnectionAbortedError: the connection is being closed.
        """
        if self._is_refused or self.transport.is_closing():
            raise ConnectionAbortedError
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, or reject it under overload. Start the deadline of its body."""
        super().on_headers_complete()
        self._is_receiving = True
        if self.cycle.response_complete:
            self._is_idle = False
            self.deadline_s = time.monotonic() + LINGER_S
            return
        self.deadline_s = time.monotonic() + self.settings.body_timeout_s
        if not self.pipeline:
            self._count(self._n_accepted, self._n_accepted)
        elif len(self.pipeline) > MAX_PIPELINED:
            self._abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        waiting = self.admission.n_accepted - self.admission.n_receiving - self.middleware.engine.n_in_threads
        if cycle.scope["path"].endswith(PROBES) or self.admission.admits(waiting):
            self._count(1, 0)
            self._running = cycle
            super()._start_asgi_task(cycle, app)
        elif self.flow.write_paused:  # the client does not read
            self._abort()
        else:
            self._refuse_overload(cycle)

    def _refuse_overload(self, cycle: RequestResponseCycle) -> None:
        """Send a prepared response, because a rejection must cost far less than an answer."""
        is_last = self.middleware.service.is_draining or not cycle.keep_alive
        self._write_refusal(OVERLOADED, _overload_answer(is_last), cycle.scope)  # type: ignore[arg-type]
        cycle.response_started = cycle.response_complete = True
        if is_last:
            self.transport.close()
        cycle.on_response()

    def on_body(self, body: bytes) -> None:
        """Accept a piece of the body, and enforce the rate and the limits."""
        self._n_head_bytes -= len(body) + PIECE_HEAD_BYTES
        if self._is_refused or self.cycle.response_complete or self.transport.is_closing():
            return
        self._n_pieces += 1
        self._n_body_bytes += len(body)
        self.admission.n_body_bytes += len(body)
        self.deadline_s += len(body) / MIN_BODY_BYTES_PER_S
        if self._n_pieces > MAX_BODY_PIECES:
            self.refuse(TooLargeError(f"The body has more than {MAX_BODY_PIECES} pieces. Send larger ones."))
        elif self._n_body_bytes > MAX_SMALL_BODY_BYTES and self.admission.n_body_bytes > MAX_BODIES_BYTES:
            self.refuse(OVERLOADED)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Start the deadline of the response."""
        self._count(self._n_accepted, 0)
        self._is_receiving = False
        self._n_head_bytes = 0
        if self._is_refused:
            return
        self.deadline_s = time.monotonic() + ANSWER_S
        super().on_message_complete()
        if self.cycle.response_complete:
            self._rest()

    def on_response_complete(self) -> None:
        """Start the deadline of the next request. If this one is incomplete, start the deadline of its rest."""
        self._count(0, 0)
        self._release_body()
        super().on_response_complete()
        if not self.cycle.response_complete:
            return  # a pipelined request follows
        if self._is_receiving:
            self.deadline_s = time.monotonic() + LINGER_S
        else:
            self._rest()

    def _rest(self) -> None:
        self._is_idle = True
        self.deadline_s = time.monotonic() + self.settings.idle_timeout_s

    def _count(self, n_accepted: int, n_receiving: int) -> None:
        self.admission.n_accepted += n_accepted - self._n_accepted
        self.admission.n_receiving += n_receiving - self._n_receiving
        self._n_accepted, self._n_receiving = n_accepted, n_receiving

    def _release_body(self) -> None:
        self.admission.n_body_bytes -= self._n_body_bytes
        self._n_body_bytes = self._n_pieces = 0

    def expire(self) -> None:
        """Close the connection after its deadline. A client that is still sending gets an error response."""
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._is_refused:
            self._abort()
        elif self._is_receiving and not is_answered:
            self.refuse(SlowClientError("The request's body did not come in time. Send it again."))
        elif self._n_head_bytes > 0 and is_answered and not self._is_receiving:
            self.refuse(SlowClientError("The request's headers did not come in time. Send it again."))
        else:
            self._abort()

    def send_400_response(self, msg: str) -> None:
        """Reject bytes that are not HTTP."""
        self.refuse(BadRequestError("The bytes sent are not an HTTP/1.1 request."))

    def refuse(self, error: RequestError) -> None:
        """Send an error response immediately and close the connection afterwards."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        scope = None
        if self.cycle is not None and not self.cycle.response_complete:
            if self.pipeline or self.cycle.response_started or not self._is_receiving:
                self._abort()  # another response must come first
                return
            self._disconnect()
            scope = self.cycle.scope
        self._write_refusal(error, _rendered(error, is_last=True), scope)  # type: ignore[arg-type]
        self.transport.write_eof()
        self.flow.resume_reading()
        self.deadline_s = time.monotonic() + LINGER_S

    def _write_refusal(self, error: RequestError, rendered: tuple[bytes, bytes], scope: Scope | None) -> None:
        """Send a response that bypasses the application, and record it as the middleware would."""
        timing = Timing(self._started_s)
        head, body = rendered[0] % timing.end().encode(), rendered[1]
        self.transport.write(head if scope and scope["method"] == "HEAD" else head + body)
        self.middleware.metrics.refused.add(error.reason)
        self.middleware.record(scope, error.status, timing)

    def _abort(self) -> None:
        self._disconnect()
        self.transport.abort()

    def _disconnect(self) -> None:
        """Cancel the running request. uvicorn would cancel only the request that was read last."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def shutdown(self) -> None:
        """Close the connection because the service stops. Answer a request that is being received first."""
        if self.cycle is None or self._is_receiving or self._n_head_bytes > 0:
            if self.cycle is not None:
                self.cycle.keep_alive = False
            self.loop.call_later(FIRST_REQUEST_S, self._close_unless_answering)
        else:
            super().shutdown()

    def _close_unless_answering(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def _rendered(error: RequestError, is_last: bool) -> tuple[bytes, bytes]:
    """Return the head of an error response, with a placeholder for the Server-Timing, and the body."""
    response = error_response(error)
    headers = [*response.raw_headers, *UNCACHED, (b"server-timing", b"%s")]
    lines = [b"%s: %s\r\n" % header for header in [*headers, *([(b"connection", b"close")] if is_last else [])]]
    return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n"]), bytes(response.body)


@cache
def _overload_answer(is_last: bool) -> tuple[bytes, bytes]:
    return _rendered(OVERLOADED, is_last)
