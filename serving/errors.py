"""Every error that the service raises on purpose.

A message is one clear sentence or two: what is wrong, the value, what to do. It never repeats what the client sent.
"""

from collections.abc import Iterator
from typing import ClassVar


class ServingError(Exception):
    """The root of the family; its text is fit to be shown."""


class StartError(ServingError):
    """The service cannot start: a bad setting, model file, web folder or port."""


class SettingsError(StartError):
    """A flag or an environment variable has a value that cannot be used."""


class ModelError(StartError):
    """The model file is missing, damaged, or not the model that the service is written for."""


class RequestError(ServingError):
    """The request cannot be answered; `status` is the HTTP status that says so, `reason` its name in the metrics."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "bad_request"

    @property
    def headers(self) -> dict[str, str]:
        """What the answer has besides the text."""
        return {}


def request_errors(parent: type[RequestError] = RequestError) -> Iterator[type[RequestError]]:
    """Every kind of refusal that there is."""
    yield parent
    for child in parent.__subclasses__():
        yield from request_errors(child)


class BadRequestError(RequestError):
    """The request is malformed: empty, broken JSON or base64, lengths that do not fit."""


class ForbiddenError(RequestError):
    """The client may not do this."""

    status = 403
    reason = "forbidden"


class NotFoundError(RequestError):
    """There is nothing of that name."""

    status = 404
    reason = "not_found"


class MethodError(RequestError):
    """The address does not take the request's method."""

    status = 405
    reason = "method"

    def __init__(self, allowed: str) -> None:
        """Names the methods that it takes: `allowed`, separated by commas."""
        super().__init__(f"This address does not take that method, only {allowed}.")
        self._allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """The methods."""
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
    """The bytes are not a picture in a format that is read here."""

    status = 415
    reason = "unsupported"


class UnsupportedEncodingError(RequestError):
    """The body is compressed in a way that is not read here."""

    status = 415
    reason = "unsupported"


class UnsupportedTypeError(RequestError):
    """The body is of another Content-Type than is read at this address."""

    status = 415
    reason = "unsupported"


class WrongHostError(RequestError):
    """The Host header names a host that this service does not answer for."""

    status = 421
    reason = "wrong_host"


class UnreadableImageError(RequestError):
    """The bytes are a picture, but it is damaged, cut short, or made to take too long."""

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
        """When to come back."""
        return {"retry-after": str(self.retry_after_s)}


class OverloadedError(UnavailableError):
    """More is asked than can be answered."""

    reason = "overloaded"

    def __init__(self) -> None:
        """Always in the same words."""
        super().__init__("More is asked of the service than it can answer. Send it again in a second.")


class NoModelError(UnavailableError):
    """No model is loaded."""

    reason = "no_model"


class NotTakenUpError(UnavailableError):
    """Not every worker has taken up a model, or has let go of it."""

    reason = "failed"


class TimeoutExpiredError(UnavailableError):
    """The answer would come after the request's own timeout."""

    reason = "timeout"


class StoreFullError(RequestError):
    """There are as many drawings as are kept."""

    status = 507
    reason = "store_full"
