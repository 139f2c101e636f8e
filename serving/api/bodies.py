"""Receive request bodies, and find the picture in them. All supported formats are here."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import Request

from serving.api.containers import Picture, is_picture
from serving.api.images import MAX_SIDE_PX, GreyImage, open_image, open_raw
from serving.errors import BadRequestError, UnsupportedImageError, UnsupportedTypeError
from serving.model.card import GOLDEN_SHAPE

RAW_TYPE = "application/octet-stream"
FORM_TYPE = "multipart/form-data"
FIELDS_TYPE = "application/x-www-form-urlencoded"

# Limit of the parts of a form.
MAX_PARTS = 100
BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
FILE_HEADER = re.compile(rb"filename|content-type", re.IGNORECASE)
FORM_TEXT = "Send the picture as a file part, for example curl -F image=@seven.png."

# Limit of brackets, braces and commas. A picture in JSON needs two: a brace, and the comma of the data URL. A body full
# of them would become millions of objects, which take 500 MB and block the event loop for seconds.
JSON_STRUCTURE = (b"[", b"{", b",")
MAX_JSON_STRUCTURE = 1_000

JSON_TEXT = 'Send {"image": "data:image/png;base64,..."}.'


# A data URL up to its comma, by the URL standard of the WHATWG.
DATA_URL = re.compile(rb"\s{0,9}data:([^,]{0,200}),", re.IGNORECASE)
BASE64_SIGN = re.compile(rb"; *base64 *$", re.IGNORECASE)

# The characters of base64 text that programs percent-encode, and white space.
PERCENT_ENCODED = b"+/=-_ \t\n\r"
WHITE_SPACE = b" \t\n\f\r"

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Body:
    """A request's body.

    Attributes:
        content_type: the Content-Type with its parameters.
        data: the bytes as sent.
        coding: the Content-Encoding; empty if there is none.
    """

    content_type: str
    data: bytes
    coding: str = ""

    @property
    def media_type(self) -> str:
        """Return the Content-Type in lower case, without parameters."""
        return self.content_type.partition(";")[0].strip().lower()


async def receive(request: Request) -> Body:
    """Receive the whole body."""
    headers = request.headers
    return Body(headers.get("content-type", ""), await request.body(), headers.get("content-encoding", ""))


async def receive_as(content_type: str, request: Request) -> Body:
    """Receive the whole body and check its content type.

    Raises:
        UnsupportedTypeError: the body has another content type.
    """
    if Body(request.headers.get("content-type", ""), b"").media_type != content_type:
        raise UnsupportedTypeError(
            f"Send the body with Content-Type: {content_type}. This address supports no other type."
        )
    return await receive(request)


def is_raw(body: Body, query: bytes) -> bool:
    """Return whether a body is raw grey bytes: its type says so, and it has sizes or the length of an MNIST image."""
    if body.media_type != RAW_TYPE:
        return False
    has_sides = b"width" in query or b"height" in query
    return has_sides or (len(body.data) == GOLDEN_SHAPE[0] * GOLDEN_SHAPE[1] and not is_picture(body.data))


def open_body(body: Body, query: bytes, max_pixels: int) -> Picture | GreyImage:
    """Find the picture in a body, and check it against the limits without decoding its pixels.

    The content type only distinguishes forms and raw grey bytes. Otherwise it is ignored, because it is often wrong:
    curl sends that of a form by default.

    Args:
        body: not compressed.
        query: query string, with `width` and `height` in pixels for raw grey bytes.
        max_pixels: limit of the picture.

    Raises:
        RequestError: the body has no supported picture, or more than one.
    """
    if is_raw(body, query):
        height, width = GOLDEN_SHAPE
        sides = _sides(query) if b"width" in query or b"height" in query else (width, height)
        return open_raw(body.data, *sides, max_pixels)
    try:
        return open_image(_picture_file(body), max_pixels)
    except UnsupportedImageError as error:
        if body.media_type != RAW_TYPE:
            raise
        height, width = GOLDEN_SHAPE
        raise UnsupportedImageError(
            f"{error} Raw grey bytes need ?width= and ?height= in pixels, unless they are {width} x {height}."
        ) from None


def _picture_file(body: Body) -> bytes:
    data = body.data
    if is_picture(data):
        return data
    start = data[:100].lstrip(BYTE_ORDER_MARK + WHITE_SPACE)
    if start.startswith(b"{") or body.media_type == "application/json":
        return _from_json(data)
    if body.media_type == FORM_TYPE:
        data = _from_form(data, body.content_type)
    elif body.media_type == FIELDS_TYPE and not DATA_URL.match(data):
        fields = [unquote_to_bytes(field.partition(b"=")[2]) for field in data.split(b"&", MAX_PARTS)]
        data = _only_picture(fields) or data
    return _from_base64(data) if DATA_URL.match(data) else data


def _from_form(data: bytes, content_type: str) -> bytes:
    """Return the picture or data URL in a form, whatever its part is called. Without one, return its only file."""
    boundary = BOUNDARY.search(content_type)
    if not boundary:
        raise BadRequestError(f"The form's Content-Type has no boundary. {FORM_TEXT}")
    delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1")
    _, *parts = (b"\r\n" + data).split(delimiter, MAX_PARTS + 1)
    if not parts or not parts.pop().startswith(b"--"):
        raise BadRequestError(f"The form is cut short, or has more than {MAX_PARTS} parts. {FORM_TEXT}")
    split = [part.partition(b"\r\n\r\n") for part in parts]
    files = [content for head, _, content in split if content and FILE_HEADER.search(head)]
    if picture := _only_picture([content for _, _, content in split]):
        return picture
    if len(files) == 1:
        return files[0]
    raise BadRequestError(f"The form has no picture. {FORM_TEXT}")


def _only_picture(parts: Sequence[bytes]) -> bytes | None:
    found = [part for part in parts if is_picture(part) or DATA_URL.match(part)]
    if len(found) > 1:
        raise BadRequestError(f"The form has {len(found)} pictures. Send one picture in a request.")
    return found[0] if found else None


# cached, because clients send many pictures of the same size
@lru_cache(maxsize=8)
def _sides(query: bytes) -> tuple[int, int]:
    """Return width and height in a query."""
    values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return _side("width", values), _side("height", values)


def _side(name: str, query: Mapping[str, str]) -> int:
    text = query.get(name, "")
    # int() accepts signs, spaces and digits of other scripts too, and raises for very long numbers.
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_SIDE_PX:
        return int(text)
    raise BadRequestError(
        f"Raw grey bytes need ?width= and ?height= in pixels; {name} is "
        f"{'not a whole number' if text else 'missing: a whole number'} from 1 to {MAX_SIDE_PX}."
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
    return _from_base64(image.encode("ascii", "replace"))


def _from_base64(text: bytes) -> bytes:
    """Decode a data URL, or base64 of either alphabet, with or without padding and white space (RFC 4648, WHATWG)."""
    n_bytes = len(text)
    if url := DATA_URL.match(text):
        if not BASE64_SIGN.search(url[1]):
            raise BadRequestError(f"The data URL is not in base64. {JSON_TEXT}")
        text = text[url.end() :]
    if b"%" in text:
        for code in PERCENT_ENCODED:
            text = text.replace(b"%%%02X" % code, bytes([code])).replace(b"%%%02x" % code, bytes([code]))
    text = text.translate(None, WHITE_SPACE)
    if len(text) % 4 == 0:
        text = text.removesuffix(b"=").removesuffix(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        raise BadRequestError(f"The text of the picture ({n_bytes} characters) is not base64. {JSON_TEXT}") from None
