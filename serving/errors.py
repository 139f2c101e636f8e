"""The errors that the service raises.

A message names the fault, the value and the remedy in one or two sentences. It never repeats the client's input.
"""

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
    """The request cannot be answered.

    Attributes:
        kinds: all subclasses.
        status: the HTTP status.
        reason: the label in the metrics.
        headers: extra response headers.
    """

    kinds: ClassVar[list[type["RequestError"]]] = []
    status: ClassVar[int]
    reason: ClassVar[str]

    def __init_subclass__(cls, status: int, reason: str) -> None:
        """Set the status and the reason of a subclass."""
        cls.status, cls.reason = status, reason
        RequestError.kinds.append(cls)

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = headers or ({"retry-after": "1"} if self.status == 503 else {})


class BadRequestError(RequestError, status=400, reason="bad_request"):
    """The request is malformed: empty, invalid JSON or base64, or a wrong length."""


class ForbiddenError(RequestError, status=403, reason="forbidden"):
    """The client may not do this."""


class NotFoundError(RequestError, status=404, reason="not_found"):
    """The address or the model does not exist."""


class MethodError(RequestError, status=405, reason="method"):
    """The address does not support the request's method."""


class SlowClientError(RequestError, status=408, reason="slow"):
    """The client did not send its request in time."""


class TooLargeError(RequestError, status=413, reason="too_large"):
    """The body or the picture is above a limit."""


class UnsupportedImageError(RequestError, status=415, reason="unsupported"):
    """The bytes are not a picture in a supported format."""


class UnsupportedBodyError(RequestError, status=415, reason="unsupported"):
    """The address does not support the body's Content-Type or Content-Encoding."""


class WrongHostError(RequestError, status=421, reason="wrong_host"):
    """The Host header names an unknown host."""


class UnreadableImageError(RequestError, status=422, reason="unreadable"):
    """The picture is damaged, cut short, or too expensive to decode."""


class HeadTooLargeError(RequestError, status=431, reason="head_too_large"):
    """The request's line and headers are above the limit."""


class FailedError(RequestError, status=500, reason="failed"):
    """The service has a fault."""


class OverloadedError(RequestError, status=503, reason="overloaded"):
    """There are more requests than the service can answer."""

    def __init__(self) -> None:
        super().__init__("The service has more requests than it can answer. Send the request again in a second.")


class NoModelError(RequestError, status=503, reason="no_model"):
    """No model is loaded."""


class NotTakenUpError(RequestError, status=503, reason="failed"):
    """Not all workers loaded (or unloaded) the model."""


class TimeoutExpiredError(RequestError, status=503, reason="timeout"):
    """The answer would be later than the request's timeout."""


class StoreFullError(RequestError, status=507, reason="store_full"):
    """The limit of stored drawings is reached."""
