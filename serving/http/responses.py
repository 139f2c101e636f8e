"""How a document, or an error, becomes an answer."""

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from serving.errors import BadRequestError, FailedError, MethodError, NotFoundError, RequestError


class JSONResponse(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The bytes of a document of dicts, lists, texts, numbers and numpy arrays."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def error_response(error: RequestError) -> Response:
    """An error in the one shape that every error has."""
    return JSONResponse({"error": str(error)}, error.status, error.headers)


def as_refusal(error: Exception) -> RequestError:
    """What a client is told of an error: of our own, all; of Starlette's, what it means here; of a fault, no more."""
    if isinstance(error, RequestError):
        return error
    if not isinstance(error, HTTPException):
        return FailedError("The service failed on this request; the reason is in its log. Please report it.")
    if error.status_code == 405:
        return MethodError((error.headers or {})["Allow"])
    if error.status_code == 400:  # a form that cannot be read
        return BadRequestError(error.detail)
    return NotFoundError("There is nothing at this address. The page is at /, and what the service can do at /docs.")
