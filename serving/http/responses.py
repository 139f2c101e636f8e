"""Convert documents and errors to responses."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from serving.errors import FailedError, MethodError, NotFoundError, RequestError

Headers = Iterable[tuple[bytes, bytes]]


class Error(msgspec.Struct, forbid_unknown_fields=True):
    """All errors have this format."""

    error: Annotated[str, msgspec.Meta(description="What is wrong, and what to do.")]


class JSONResponse(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Encode a message, or what JSON consists of."""
        return msgspec.json.encode(content)


def error_response(error: RequestError) -> Response:
    """Return the response in the format that all errors share."""
    return JSONResponse(Error(str(error)), error.status, error.headers)


def raw_head(status: int, headers: Headers) -> bytes:
    """Return the head of a response, with a placeholder for further headers."""
    return STATUS_LINE[status] + header_lines(headers) + b"%s\r\n"


def raw_error(error: RequestError, headers: Headers) -> tuple[bytes, bytes]:
    """Return the head of an error response, with a placeholder for further headers, and the body."""
    response = error_response(error)
    return raw_head(error.status, [*response.raw_headers, *headers]), bytes(response.body)


def header_lines(headers: Headers) -> bytes:
    """Return headers as in a response."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])


def as_request_error(error: Exception) -> RequestError:
    """Convert any exception to an error for the client. The details of an unexpected one appear only in the log."""
    if isinstance(error, RequestError):
        return error
    if not isinstance(error, HTTPException):
        return FailedError("The service failed on this request; the reason is in its log. Please report it.")
    if error.status_code == 405:
        allowed = (error.headers or {})["Allow"]
        return MethodError(f"This address does not support that method, only {allowed}.", {"allow": allowed})
    return NotFoundError("There is nothing at this address. The page is at /, the documentation of the API at /docs.")
