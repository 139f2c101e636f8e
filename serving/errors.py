"""Every error that the service raises on purpose.

A message is one clear sentence or two: what is wrong, the value, what to do. It never repeats what the client sent.
"""

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
    """The request cannot be answered; `status` is the HTTP status that says so."""

    status: ClassVar[int] = 400


class BadRequestError(RequestError):
    """The request is malformed: empty, broken JSON or base64, lengths that do not fit."""


class TooLargeError(RequestError):
    """The body or the picture is above a limit."""

    status = 413


class UnsupportedImageError(RequestError):
    """The bytes are not a picture in a format that is read here."""

    status = 415


class UnsupportedEncodingError(RequestError):
    """The body is compressed in a way that is not read here."""

    status = 415


class UnreadableImageError(RequestError):
    """The bytes are a picture, but it is damaged, cut short, or made to take too long."""

    status = 422


class NotFoundError(RequestError):
    """There is nothing of that name."""

    status = 404


class ForbiddenError(RequestError):
    """The client may not do this."""

    status = 403


class UnavailableError(RequestError):
    """The service cannot answer now; the same request may succeed later."""

    status = 503


class NoModelError(UnavailableError):
    """No model is loaded."""


class TimeoutExpiredError(UnavailableError):
    """The answer would come after the request's own timeout."""
