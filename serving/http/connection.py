"""The connection of one client: uvicorn's class with the deadlines and limits that uvicorn leaves to a proxy."""

import asyncio
import time
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from serving.errors import SlowClientError, TooLargeError
from serving.http.express import Express, is_small
from serving.http.middleware import PROBES, route_of
from serving.http.refuser import OVERLOADED, Lingering, Refuser
from serving.http.timing import Timing

# Slowest accepted rate of a body: its bytes extend the deadline. A slow mobile connection is a few times faster.
MIN_BODY_BYTES_PER_S = 8 * 1024

# Limit of the pieces of a body, because each piece costs a call. Clients send pieces of some kB.
MAX_BODY_PIECES = 40_000

# Limit of all bodies together. Above it, a body above MAX_SMALL_BODY_BYTES is refused: the one that has paused longest,
# for STALLED_S at least, or else the one that goes on.
MAX_BODIES_BYTES = 128 * 2**20
MAX_SMALL_BODY_BYTES = 64 * 1024
STALLED_S = 1.0

# A connection that had an answer makes room for another only after this time: its next request may be on the way.
IDLE_S = 1.0

# Time for the model to run and the client to read the response.
ANSWER_S = 60

# Time for the first request of a connection that was opened just before the listener closed.
FIRST_REQUEST_S = 1


class Connection(Refuser):
    """The protocol of one connection. The server calls `expire` after `deadline_s`."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        """Initialize the connection; uvicorn calls this."""
        super().__init__(config, server_state, app_state, _loop)
        self._address = ""
        self._body_ends_s = 0.0
        self._is_idle = False  # between two requests
        self._express: Express | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room if there are too many connections."""
        super().connection_made(transport)
        self._lingering = Lingering(self)
        self._address = self.client[0] if self.client else ""
        n_too_many = len(self.connections) - self.settings.max_connections
        if n_too_many <= 0 or self.crowd.make_room():
            self.crowd.wait(self._address, transport, 0)
        elif n_too_many > self.settings.max_connections:
            self._abort()  # even a response would cost too much
        else:
            self.refuse(OVERLOADED)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the request and the bytes of this connection from what all share."""
        self._disconnect()
        self._release()
        self.crowd.proceed(self._address, self.transport)
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection of a client that has sent all, until its requests are answered."""
        if self.is_refused or self.is_receiving or self.cycle is None or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        """Start the deadline of a head. Discard what follows a refusal."""
        self._read_s = time.perf_counter()
        if self.is_refused:
            self._linger_on()
            return
        if self._is_idle:
            self._is_idle = False
            self._started_s = self._read_s
            self.deadline_s = self._read_s + self.settings.head_timeout_s
        super().data_received(data)

    def admits(self) -> bool:
        """Return whether the answer is expected in time; probes are always answered. If not, reject the request."""
        if self.backlog.admits(self.settings.max_wait_s):
            return True
        path = self.url.partition(b"?")[0].decode("latin-1")
        if route_of(path) in PROBES:
            return True
        self.scope["method"], self.scope["path"] = self.parser.get_method().decode(), path
        if self.flow.write_paused:  # the client does not read
            self._abort()
        else:
            self.reject()
            self._rest()
        return False

    def on_head(self) -> None:
        """Start the deadline of the body."""
        self._is_idle = False
        self.crowd.proceed(self._address, self.transport)
        self.deadline_s = self._body_ends_s = self._read_s + self.settings.body_timeout_s
        self.cycle.transport = self._lingering  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        endpoint = self.middleware.quick.get((cycle.scope["method"], cycle.scope["path"]))
        is_express = endpoint and is_small(cycle.scope) and not self.flow.write_paused  # type: ignore[arg-type]
        self._express = Express(self, cycle, endpoint) if endpoint and is_express else None
        if not self._express:
            super()._start_asgi_task(cycle, app)
        if not cycle.more_body:
            self._wait_in_queue()

    def on_body(self, body: bytes) -> None:
        """Accept a piece of the body, and enforce the rate and the limits."""
        super().on_body(body)
        if not self.is_receiving:
            return
        if self._express:  # uvicorn has stopped reading a body above 64 KiB until the task takes it, but there is none
            self.flow.resume_reading()
        if self.cycle.response_complete or self.transport.is_closing():
            self._linger_on()
            return
        self._n_pieces += 1
        self._n_body_bytes += len(body)
        self.crowd.n_body_bytes += len(body)
        self._body_ends_s += len(body) / MIN_BODY_BYTES_PER_S
        self.deadline_s = min(self._body_ends_s, self._read_s + self.settings.body_timeout_s)
        if self._n_pieces > MAX_BODY_PIECES:
            self.refuse(TooLargeError(f"The body has more than {MAX_BODY_PIECES} pieces. Send larger ones."))
        elif self._n_body_bytes > MAX_SMALL_BODY_BYTES and self.crowd.n_body_bytes > MAX_BODIES_BYTES:
            self._refuse_stalled_body()

    def _refuse_stalled_body(self) -> None:
        """Refuse the large body that has paused longest, or this one if none has paused."""
        bodies = [connection for connection in self.connections if isinstance(connection, Connection)]
        bodies = [body for body in bodies if body.is_receiving and body._n_body_bytes > MAX_SMALL_BODY_BYTES]
        stalled = min(bodies, key=lambda body: body._read_s)
        if stalled._read_s < self._read_s - STALLED_S:
            stalled.refuse(SlowClientError("The request's body paused while others waited. Send it again."))
        else:
            self.refuse(OVERLOADED)

    def on_end(self) -> None:
        """Start the deadline of the response."""
        if self.cycle.response_complete:
            self._rest()
            return
        self.cycle.transport = self.transport
        self.deadline_s = self._read_s + ANSWER_S
        if self._running is self.cycle:
            self._wait_in_queue()

    def on_response_complete(self) -> None:
        """Start the next request, or its deadline. If this one is incomplete, start the deadline of its rest."""
        if self._is_in_backlog:
            self.backlog.answer()
            self._is_in_backlog = False
        self._release()
        if self.is_refused or self.transport.is_closing():
            return
        if self.pipeline:
            if not self.is_receiving:
                self.deadline_s = time.perf_counter() + ANSWER_S
            self._start_asgi_task(*self.pipeline.pop())
        elif self.is_receiving:
            self._linger()
        else:
            self._rest()
        self.parse()
        self.flow.resume_reading()

    def _rest(self) -> None:
        if self.is_refused:
            return
        now_s = self._started_s = time.perf_counter()
        self._is_idle = True
        self.deadline_s = now_s + self.settings.idle_timeout_s
        self.crowd.wait(self._address, self.transport, now_s + IDLE_S)

    def _wait_in_queue(self) -> None:
        self.backlog.enter()
        self._is_in_backlog = True
        if self._express and not self._express.start():
            super()._start_asgi_task(self._express.cycle, self.app)

    def finish(self, cycle: RequestResponseCycle, status: int, response: tuple[bytes, bytes], timing: Timing) -> None:
        """Send the response to a request without a task."""
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        is_last = self.middleware.service.is_draining or not cycle.keep_alive
        self.write(status, response, cycle.scope, timing, is_last)  # type: ignore[arg-type]
        if is_last:
            self.transport.close()
        self.on_response_complete()

    def expire(self) -> None:
        """Close the connection after its deadline. A client that is still sending gets an error response."""
        is_answered = self.cycle is None or self.cycle.response_complete
        if self.is_receiving and not is_answered:
            self.refuse(SlowClientError("The request's body did not come in time. Send it again."))
        elif self.is_in_head and is_answered:
            self.refuse(SlowClientError("The request's headers did not come in time. Send it again."))
        else:
            self._abort()

    def shutdown(self) -> None:
        """Close the connection because the service stops. Answer a request that is being received first."""
        if self.cycle is None or self.is_receiving or self.is_in_head:
            if self.cycle is not None:
                self.cycle.keep_alive = False
            self.loop.call_later(FIRST_REQUEST_S, self._close_unless_answering)
        else:
            super().shutdown()

    def _close_unless_answering(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
