"""Answer a request with a small body without an ASGI task: the task would take as long as all other Python code."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from serving.errors import FailedError
from serving.http.hosts import check_host, host_name
from serving.http.middleware import UNCACHED, QuickEndpoint
from serving.http.responses import as_request_error, raw_error, raw_head
from serving.http.timing import Timing
from serving.queue.engine import Answer

if TYPE_CHECKING:
    from serving.http.connection import Connection

log = logging.getLogger(__name__)

# A canvas of 280 x 280 grey levels has 78 kB.
MAX_BODY_BYTES = 128 * 1024
MAX_BODY_DIGITS = len(str(MAX_BODY_BYTES))

# Only the application handles these.
OTHER_HEADERS = {b"content-encoding", b"expect"}

HEAD = raw_head(200, [(b"content-type", b"application/json"), *UNCACHED])


def is_small(scope: Scope) -> bool:
    """Return whether the body is small and nothing about it is unusual."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    return 0 < len(length) <= MAX_BODY_DIGITS and int(length) <= MAX_BODY_BYTES and OTHER_HEADERS.isdisjoint(headers)


class Express:
    """A request that is answered without a task. It takes the engine's result and sends the response."""

    def __init__(self, connection: "Connection", cycle: RequestResponseCycle, endpoint: QuickEndpoint) -> None:
        self.cycle = cycle
        self._connection = connection
        self._endpoint = endpoint
        self._timing = Timing()
        self._message: Callable[[Answer], msgspec.Struct]

    def start(self) -> bool:
        """Put the images in the queue, or refuse the request. Return False if it needs a task after all."""
        service, scope = self._connection.middleware.service, self.cycle.scope
        try:
            check_host(host_name(scope["headers"], scope["http_version"]), service.settings.allowed_hosts)
            self._timing.start()
            started = self._endpoint(service, scope, bytes(self.cycle.body), self._timing)  # type: ignore[arg-type]
            if started is None:
                return False
            images, self._message = started
            service.engine.enqueue(images, self)
        except Exception as error:  # as in the middleware, so that every request gets a response
            self.set_exception(error)
        return True

    def done(self) -> bool:
        """Return whether the connection was lost."""
        return self.cycle.disconnected

    def set_result(self, answer: Answer) -> None:
        """Send the answer."""
        self._timing.add_answer(answer)
        try:
            body = msgspec.json.encode(self._message(answer))
        except Exception as error:
            self.set_exception(error)
            return
        self._timing.lap("encode")
        head = HEAD % b"content-length: %d\r\n%%s" % len(body)
        self._connection.finish(self.cycle, 200, (head, body), self._timing)

    def set_exception(self, error: Exception) -> None:
        """Send an error."""
        request_error = as_request_error(error)
        if isinstance(request_error, FailedError):
            log.error("A request failed.", exc_info=error)
        self._connection.middleware.metrics.refused.add(request_error.reason)
        self._connection.finish(self.cycle, request_error.status, raw_error(request_error, UNCACHED), self._timing)
