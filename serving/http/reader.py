"""Read the requests of a connection: uvicorn's parser protocol, with limits, pipelining and upgrades as in the RFCs."""

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.errors import BadRequestError, HeadTooLargeError, RequestError

# Limit of a request's line and headers, and of its trailers.
MAX_HEAD_BYTES = 32 * 1024

# A read may have thousands of small requests. It is parsed in slices, so that few of them wait for their turn.
SLICE_BYTES = 1024

NOT_HTTP = "The bytes sent are not an HTTP/1.1 request."


class Reader(HttpToolsProtocol):
    """The reading half of a connection.

    Attributes:
        is_refused: the last response was sent, so all further data is discarded.
        is_in_head: the head of a request is incomplete.
        is_receiving: the body of a started request is incomplete.
    """

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        """Initialize the connection; uvicorn calls this."""
        super().__init__(config, server_state, app_state, _loop)
        self.is_refused = self.is_in_head = self.is_receiving = False
        self._unparsed = memoryview(b"")
        self._is_parsing = False
        self._n_missing = 0  # bytes of a body with a Content-Length
        self._n_pending_bytes = 0  # since the last complete part of a request, except those in the same slice
        self._n_header_bytes = 0  # of the complete headers

    def refuse(self, error: RequestError) -> None:
        """Send an error response immediately and close the connection afterwards."""
        raise NotImplementedError

    def admits(self) -> bool:
        """Return whether to start the request whose head is complete. If not, it was answered."""
        raise NotImplementedError

    def on_head(self) -> None:
        """Handle the head of a request that was started."""
        raise NotImplementedError

    def on_end(self) -> None:
        """Handle the end of a request."""
        raise NotImplementedError

    @property
    def is_ahead(self) -> bool:
        """Return whether the client has sent requests that must wait for the responses to earlier ones."""
        return bool(self.pipeline or self._unparsed)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read only as far as there is something to do."""
        super().connection_made(transport)
        self.flow = Flow(transport, self)

    def data_received(self, data: bytes) -> None:
        """Parse the data until a request must wait."""
        self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
        self.parse()

    def parse(self) -> None:
        """Parse the received data until a request must wait. uvicorn stops reading from the socket at this point."""
        if self._is_parsing:  # a request was answered by the parser's callback
            return
        self._is_parsing = True
        while self._unparsed and not self.pipeline and not self.is_refused:
            n_bytes = self._n_missing or SLICE_BYTES
            data, self._unparsed = self._unparsed[:n_bytes], self._unparsed[n_bytes:]
            self._n_pending_bytes += len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._unparsed = memoryview(bytes(data[upgrade.args[0] :]) + self._unparsed)
                self._ignore_upgrade()
            except httptools.HttpParserError:
                if self.cycle is None or self.cycle.response_complete or self.is_receiving:
                    self.refuse(BadRequestError(NOT_HTTP))
                else:  # the requests before are answered, and the last answer ends the connection
                    self.cycle.keep_alive = False
                    self._unparsed = memoryview(b"")
            if self._n_pending_bytes > MAX_HEAD_BYTES:
                self._refuse_head()
        self._is_parsing = False

    def _ignore_upgrade(self) -> None:
        """Parse the head again without its Upgrade header, because llhttp takes the body for the other protocol."""
        if self.parser.get_method() == b"CONNECT":
            self.refuse(BadRequestError(NOT_HTTP))
            return
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def _refuse_head(self) -> None:
        self.refuse(HeadTooLargeError(f"The request's line and headers have more than {MAX_HEAD_BYTES} bytes."))

    def on_message_begin(self) -> None:
        """Start a head. Stop the parser if the connection is being closed.

        Raises:
            ConnectionAbortedError: the connection is being closed.
        """
        if self.is_refused or self.transport.is_closing():
            raise ConnectionAbortedError
        super().on_message_begin()
        self.is_in_head = True
        self._n_pending_bytes = self._n_header_bytes = self._n_missing = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, or drop a trailer: none has a meaning here, and RFC 9110, 6.5.1 forbids merging them."""
        self._n_header_bytes += len(name) + len(value) + len(b": \r\n")
        if self._n_header_bytes + len(self.url) > MAX_HEAD_BYTES:
            self._refuse_head()
        elif self.is_in_head:
            name = name.lower()
            self.headers.append((name, value))
            if name == b"content-length":
                self._n_missing = int(value)
            elif name == b"expect":
                self.expect_100_continue = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """Start the request, unless it is rejected or the parser has to read it again."""
        if self.is_refused or self.parser.should_upgrade():
            return
        if len(self.url) > MAX_HEAD_BYTES:
            self._refuse_head()
            return
        self.is_in_head = False
        self._n_pending_bytes = self._n_header_bytes = 0
        is_free = self.cycle is None or self.cycle.response_complete
        if not is_free or self.admits():
            self.is_receiving = True
            super().on_headers_complete()
            self.on_head()

    def on_body(self, body: bytes) -> None:
        """Accept a piece of the body."""
        self._n_pending_bytes = 0
        self._n_missing = max(0, self._n_missing - len(body))
        if self.is_receiving:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        if self.is_receiving:
            self.is_receiving = False
            self._n_pending_bytes = 0
            super().on_message_complete()
            self.on_end()


class Flow(FlowControl):
    """Flow control that stops reading while requests wait for the responses to earlier ones."""

    def __init__(self, transport: asyncio.Transport, reader: Reader) -> None:
        super().__init__(transport)
        self._reader = reader

    def resume_reading(self) -> None:
        """Resume reading, unless enough was read."""
        if not self._reader.is_ahead:
            super().resume_reading()
