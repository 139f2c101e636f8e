"""A request's body, and the picture in it in each of the forms that it may come in."""

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

# A picture in JSON is an object with one long text, and needs two of these: a brace and the data URL's comma. A body
# full of them would become millions of objects: 500 MB, and seconds in which nobody else is answered.
JSON_STRUCTURE = (b"[", b"{", b",")
MAX_JSON_STRUCTURE = 1_000

JSON_TEXT = 'Send {"image": "data:image/png;base64,..."}.'


@dataclass(frozen=True)
class Body:
    """A request's body.

    Attributes:
        content_type: decides how to read it; in lower case and without parameters.
        data: as it was sent.
        coding: the Content-Encoding; empty where there is none.
    """

    content_type: str
    data: bytes
    coding: str = ""


async def receive(request: Request) -> Body:
    """Waits for the whole body; of a form, for its first file.

    Raises:
        BadRequestError: a form without a file.
        UnsupportedEncodingError: a form that is compressed.
    """
    content_type = _content_type(request)
    coding = request.headers.get("content-encoding", "")
    if content_type != "multipart/form-data":
        return Body(content_type, await request.body(), coding)
    if coding:
        raise UnsupportedEncodingError("A form is not read compressed. Send it without Content-Encoding.")
    async with request.form() as form:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                return Body("", await value.read())
    raise BadRequestError("The form has no file. Send the image as a file part, for example curl -F image=@seven.png.")


async def receive_as(content_type: str, request: Request) -> Body:
    """Waits for the whole body, which must be of this content type.

    Raises:
        UnsupportedTypeError: it is of another.
    """
    if _content_type(request) != content_type:
        raise UnsupportedTypeError(f"Send the body with Content-Type: {content_type}. Nothing else is read here.")
    return Body(content_type, await request.body(), request.headers.get("content-encoding", ""))


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def open_body(body: Body, query: bytes, max_pixels: int) -> Image.Image | GreyImage:
    """The picture in a body; of a file, the pixels not yet decoded.

    Only two content types are taken at their word: JSON, and `application/octet-stream` where the query gives a width
    or a height, or where there are just as many bytes as an MNIST image has. All others are often wrong (curl sends a
    form's by default), so there the bytes decide.

    Args:
        body: no longer compressed.
        query: the address's query; `width` and `height` in pixels for raw grey bytes.
        max_pixels: refuses larger pictures.

    Raises:
        RequestError: what is wrong with the body, with its HTTP status.
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


# Kept, because a client sends pictures of one size again and again.
@lru_cache(maxsize=256)
def _sides(query: bytes) -> tuple[int, int]:
    """Width and height in a query."""
    values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return _side("width", values), _side("height", values)


def _side(name: str, query: Mapping[str, str]) -> int:
    text = query.get(name, "")
    # Five digits at most: int() takes signs, spaces and other scripts' digits too, and refuses very long numbers.
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
            f"The JSON has {n_structure} brackets, braces and commas; at most {MAX_JSON_STRUCTURE} are taken. "
            f"{JSON_TEXT}"
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
        # Without white space: the command `base64` breaks its lines.
        return base64.b64decode(text.encode("ascii").translate(None, string.whitespace.encode()), validate=True)
    except ValueError:
        raise BadRequestError(f'The text under "image" ({len(text)} characters) is not base64. {JSON_TEXT}') from None
