"""Convert documents and errors to responses."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from serving.errors import FailedError, MethodError, NotFoundError, RequestError


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


def raw_error(error: RequestError, headers: Iterable[tuple[bytes, bytes]], is_last: bool) -> tuple[bytes, bytes]:
    """Return the head of an error response, with a placeholder for the Server-Timing, and the body."""
    response = error_response(error)
    lines = [
        *response.raw_headers,
        *headers,
        (b"server-timing", b"%s"),
        *([(b"connection", b"close")] if is_last else []),
    ]
    head = b"".join([STATUS_LINE[response.status_code], *(b"%s: %s\r\n" % line for line in lines), b"\r\n"])
    return head, bytes(response.body)


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
