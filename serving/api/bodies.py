"""Receive request bodies, and open the pictures in them. All supported formats are here."""

import base64
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.requests import Request

from serving.api.images import GreyImage, open_image, open_raw
from serving.errors import BadRequestError, UnsupportedEncodingError, UnsupportedImageError, UnsupportedTypeError
from serving.model.card import GOLDEN_SHAPE

LONGEST_RAW_SIDE_PX = 65_535

# Limit of brackets, braces and commas. A picture in JSON needs two: a brace, and the comma of the data URL. A body full
# of them would become millions of objects, which take 500 MB and block the event loop for seconds.
JSON_STRUCTURE = (b"[", b"{", b",")
MAX_JSON_STRUCTURE = 1_000

JSON_TEXT = 'Send {"image": "data:image/png;base64,..."}.'


@dataclass(frozen=True)
class Body:
    """A request's body.

    Attributes:
        content_type: Content-Type in lower case, without parameters.
        data: the bytes as sent.
        coding: the Content-Encoding; empty if there is none.
    """

    content_type: str
    data: bytes
    coding: str = ""


async def receive(request: Request) -> Body:
    """Receive the whole body, or the first file of a form.

    Raises:
        BadRequestError: the form has no file.
        UnsupportedEncodingError: the form is compressed.
    """
    content_type = _content_type(request)
    coding = request.headers.get("content-encoding", "")
    if content_type != "multipart/form-data":
        return Body(content_type, await request.body(), coding)
    if coding:
        raise UnsupportedEncodingError("A compressed form is not supported. Send the form without Content-Encoding.")
    async with request.form() as form:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                return Body("", await value.read())
    raise BadRequestError("The form has no file. Send the image as a file part, for example curl -F image=@seven.png.")


async def receive_as(content_type: str, request: Request) -> Body:
    """Receive the whole body and check its content type.

    Raises:
        UnsupportedTypeError: the body has another content type.
    """
    if _content_type(request) != content_type:
        raise UnsupportedTypeError(
            f"Send the body with Content-Type: {content_type}. This address supports no other type."
        )
    return Body(content_type, await request.body(), request.headers.get("content-encoding", ""))


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def open_body(body: Body, query: bytes, max_pixels: int) -> Image.Image | GreyImage:
    """Open the picture in a body without decoding its pixels.

    JSON is parsed. `application/octet-stream` means raw grey bytes if the query has a width or a height, or if the body
    has the length of an MNIST image. Any other body is read as a picture file. Its content type is ignored, because it
    is often wrong: curl sends that of a form by default.

    Args:
        body: not compressed.
        query: query string, with `width` and `height` in pixels for raw grey bytes.
        max_pixels: limit of the picture.

    Raises:
        RequestError: the body is not a supported picture.
    """
    if body.content_type == "application/json":
        return open_image(_from_json(body.data), max_pixels)
    if body.content_type != "application/octet-stream":
        return open_image(body.data, max_pixels)
    if b"width" in query or b"height" in query:
        return open_raw(body.data, *_sides(query), max_pixels)
    try:
        return open_image(body.data, max_pixels)
    except UnsupportedImageError as error:
        height, width = GOLDEN_SHAPE
        if len(body.data) == height * width:
            return open_raw(body.data, width, height, max_pixels)
        raise UnsupportedImageError(
            f"{error} Raw grey bytes need ?width= and ?height= in pixels, unless they are {width} x {height}."
        ) from None


# cached, because clients send many pictures of the same size
@lru_cache(maxsize=8)
def _sides(query: bytes) -> tuple[int, int]:
    """Return width and height in a query."""
    values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return _side("width", values), _side("height", values)


def _side(name: str, query: Mapping[str, str]) -> int:
    text = query.get(name, "")
    # int() accepts signs, spaces and digits of other scripts too, and raises for very long numbers.
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= LONGEST_RAW_SIDE_PX:
        return int(text)
    raise BadRequestError(
        f"Raw grey bytes need ?width= and ?height= in pixels; {name} is "
        f"{'not a whole number' if text else 'missing: a whole number'} from 1 to {LONGEST_RAW_SIDE_PX}."
    )


def _from_json(data: bytes) -> bytes:
    n_structure = sum(data.count(character) for character in JSON_STRUCTURE)
    if n_structure > MAX_JSON_STRUCTURE:
        raise BadRequestError(
            f"The JSON has {n_structure} brackets, braces and commas; the limit is {MAX_JSON_STRUCTURE}. {JSON_TEXT}"
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequestError(f"The body ({len(data)} bytes) is not JSON. {JSON_TEXT}") from None
    image = document.get("image") if isinstance(document, dict) else None
    if not isinstance(image, str):
        raise BadRequestError(f'The JSON has no text under "image". {JSON_TEXT}')
    return _from_base64(image)


def _from_base64(text: str) -> bytes:
    if text.startswith("data:"):
        header, _, text = text.partition(",")
        if not header.endswith(";base64"):
            raise BadRequestError(f"The data URL is not in base64. {JSON_TEXT}")
    try:
        # The command `base64` breaks lines, so white space is removed.
        return base64.b64decode(text.encode("ascii").translate(None, string.whitespace.encode()), validate=True)
    except ValueError:
        raise BadRequestError(f'The text under "image" ({len(text)} characters) is not base64. {JSON_TEXT}') from None
