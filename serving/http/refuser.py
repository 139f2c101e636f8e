"""The refusing half of a connection: error responses that bypass the application, and the end of the connection."""

import time
from typing import Any

from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from serving.errors import OverloadedError, RequestError
from serving.http.ids import ids_of
from serving.http.middleware import UNCACHED, Middleware
from serving.http.reader import Reader
from serving.http.responses import header_lines, raw_error
from serving.http.timing import Timing

# After a response that closes the connection, a client may go on sending: at most so long, without a pause of LINGER_S.
# A connection that is closed at once would be reset, and the client would never read the response.
MAX_LINGER_S = 10
LINGER_S = 2

OVERLOADED = OverloadedError()
OVERLOADED_RESPONSE = raw_error(OVERLOADED, UNCACHED)


class Refuser(Reader):
    """A connection that can be refused at any time.

    Attributes:
        deadline_s: deadline of the next head, body, response or request, by `time.perf_counter`.
    """

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        """Initialize the connection; uvicorn calls this."""
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, Middleware)
        self.middleware = config.app
        self.backlog = config.app.engine.backlog
        self.crowd = config.app.crowd
        self.settings = config.app.settings
        self._read_s = self._started_s = time.perf_counter()  # the last read, and the start of the request
        self.deadline_s = self._read_s + self.settings.head_timeout_s
        self._linger_ends_s = 0.0
        self._running: RequestResponseCycle | None = None  # with pipelining, not the request that was read last
        self._is_in_backlog = False
        self._n_body_bytes = self._n_pieces = 0

    def refuse(self, error: RequestError) -> None:
        """Send an error response immediately and close the connection afterwards."""
        if self.is_refused or self.transport.is_closing():
            return
        scope = None
        if self.cycle is not None and not self.cycle.response_complete:
            if self.pipeline or self.cycle.response_started or not self.is_receiving:
                self._abort()  # another response must come first
                return
            self._disconnect()
            scope = self.cycle.scope
        self._write_refusal(error, raw_error(error, UNCACHED), scope, is_last=True)  # type: ignore[arg-type]
        self.close()

    def close(self) -> None:
        """Close the connection after the client has read the response. Discard what it sends until then."""
        if self.transport.is_closing():
            return
        self.is_refused = True
        self.is_in_head = self.is_receiving = False
        self._unparsed = memoryview(b"")
        self._release()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._linger()

    def _linger(self) -> None:
        self._read_s = time.perf_counter()
        self._linger_ends_s = self._read_s + MAX_LINGER_S
        self._linger_on()

    def _linger_on(self) -> None:
        self.deadline_s = min(self._linger_ends_s, self._read_s + LINGER_S)

    def reject(self) -> None:
        """Send a prepared response to the request whose head is complete. This costs far less than an answer."""
        is_last = self.middleware.service.is_draining or not self.parser.should_keep_alive()
        self._write_refusal(OVERLOADED, OVERLOADED_RESPONSE, self.scope, is_last)  # type: ignore[arg-type]
        if is_last:
            self.close()

    def _write_refusal(
        self, error: RequestError, response: tuple[bytes, bytes], scope: Scope | None, is_last: bool
    ) -> None:
        self.middleware.metrics.refused.add(error.reason)
        self.write(error.status, response, scope, Timing(self._started_s), is_last)

    def write(
        self, status: int, response: tuple[bytes, bytes], scope: Scope | None, timing: Timing, is_last: bool
    ) -> None:
        """Send a response that bypasses the application, and record it as the middleware would.

        Args:
            status: its status.
            response: head, with a placeholder for the headers that differ between requests, and body.
            scope: the request; None if its head is incomplete.
            timing: the clock of the request.
            is_last: the client is asked to close the connection.
        """
        own = [*self.server_state.default_headers, (b"server-timing", timing.end().encode())]
        if scope:
            own += ids_of(scope).items()
        if is_last:
            own.append((b"connection", b"close"))
        head, body = response[0] % header_lines(own), response[1]
        self.transport.write(head if scope and scope["method"] == "HEAD" else head + body)
        self.middleware.record(scope, status, timing)

    def _abort(self) -> None:
        self._disconnect()
        self.transport.abort()

    def _disconnect(self) -> None:
        """Cancel the running request. uvicorn would cancel only the request that was read last."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _release(self) -> None:
        if self._is_in_backlog:
            self.backlog.leave()
            self._is_in_backlog = False
        self.crowd.n_body_bytes -= self._n_body_bytes
        self._n_body_bytes = self._n_pieces = 0


class Lingering:
    """The transport of a response to a request that is still being received: closing it waits for the client."""

    def __init__(self, connection: Refuser) -> None:
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing
        self.close = connection.close
