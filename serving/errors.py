"""The errors that the service raises.

A message names the fault, the value and the remedy in one or two sentences. It never repeats the client's input.
"""

from collections.abc import Iterator
from typing import ClassVar


class ServingError(Exception):
    """Base class of all errors. The text is for users."""


class StartError(ServingError):
    """The service cannot start: a bad setting, model file, web folder or port."""


class SettingsError(StartError):
    """A flag or an environment variable has an invalid value."""


class ModelError(StartError):
    """The model file is missing, damaged or not supported."""


class RequestError(ServingError):
    """The request cannot be answered. `status` is the HTTP status, `reason` the label in the metrics."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "bad_request"

    @property
    def headers(self) -> dict[str, str]:
        """Return extra response headers."""
        return {}


def request_errors(parent: type[RequestError] = RequestError) -> Iterator[type[RequestError]]:
    """Yield a class and all its subclasses."""
    yield parent
    for child in parent.__subclasses__():
        yield from request_errors(child)


class BadRequestError(RequestError):
    """The request is malformed: empty, invalid JSON or base64, or a wrong length."""


class ForbiddenError(RequestError):
    """The client may not do this."""

    status = 403
    reason = "forbidden"


class NotFoundError(RequestError):
    """The address or the model does not exist."""

    status = 404
    reason = "not_found"


class MethodError(RequestError):
    """The address does not support the request's method."""

    status = 405
    reason = "method"

    def __init__(self, allowed: str) -> None:
        """Create the error; `allowed` has the methods, separated by commas."""
        super().__init__(f"This address does not support that method, only {allowed}.")
        self._allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """Return the allowed methods."""
        return {"allow": self._allowed}


class SlowClientError(RequestError):
    """The client did not send its request in time."""

    status = 408
    reason = "slow"


class TooLargeError(RequestError):
    """The body or the picture is above a limit."""

    status = 413
    reason = "too_large"


class UnsupportedImageError(RequestError):
    """The bytes are not a picture in a supported format."""

    status = 415
    reason = "unsupported"


class UnsupportedEncodingError(RequestError):
    """The body's compression is not supported."""

    status = 415
    reason = "unsupported"

    def __init__(self, message: str, accepted: str) -> None:
        """Create the error; `accepted` has the supported codings, separated by commas."""
        super().__init__(message)
        self._accepted = accepted

    @property
    def headers(self) -> dict[str, str]:
        """Return the supported codings."""
        return {"accept-encoding": self._accepted}


class UnsupportedTypeError(RequestError):
    """The address does not support the body's Content-Type."""

    status = 415
    reason = "unsupported"


class WrongHostError(RequestError):
    """The Host header names an unknown host."""

    status = 421
    reason = "wrong_host"


class UnreadableImageError(RequestError):
    """The picture is damaged, cut short, or too expensive to decode."""

    status = 422
    reason = "unreadable"


class HeadTooLargeError(RequestError):
    """The request's line and headers are above the limit."""

    status = 431
    reason = "head_too_large"


class FailedError(RequestError):
    """The service has a fault."""

    status = 500
    reason = "failed"


class UnavailableError(RequestError):
    """The service cannot answer now; the same request may succeed in `retry_after_s` seconds."""

    status = 503
    retry_after_s: ClassVar[int] = 1

    @property
    def headers(self) -> dict[str, str]:
        """Return when to retry."""
        return {"retry-after": str(self.retry_after_s)}


class OverloadedError(UnavailableError):
    """There are more requests than the service can answer."""

    reason = "overloaded"

    def __init__(self) -> None:
        super().__init__("The service has more requests than it can answer. Send the request again in a second.")


class NoModelError(UnavailableError):
    """No model is loaded."""

    reason = "no_model"


class NotTakenUpError(UnavailableError):
    """Not all workers loaded (or unloaded) the model."""

    reason = "failed"


class TimeoutExpiredError(UnavailableError):
    """The answer would be later than the request's timeout."""

    reason = "timeout"


class StoreFullError(RequestError):
    """The limit of stored drawings is reached."""

    status = 507
    reason = "store_full"
