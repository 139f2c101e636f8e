"""Decode JSON bodies into the classes that describe them."""

from typing import TypeVar

import msgspec

from serving.errors import BadRequestError

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], text: bytes, hint: str = "") -> T:
    """Decode JSON. The messages of errors name the byte or the value, and do not repeat the input.

    Args:
        decoder: of a class without `Literal` and with unknown fields allowed; otherwise msgspec repeats the input.
        text: the JSON.
        hint: ends the message.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        message = f"The JSON is not as expected. {error}."
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        end = "" if "(byte" in str(error) else f" (byte {len(text)})"
        message = f"The body is not valid JSON. {error}{end}."
    raise BadRequestError(f"{message} {hint}".rstrip())
