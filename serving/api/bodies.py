"""Receive request bodies, and find the picture or the strokes in them. All supported formats are here."""

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from starlette.requests import Request

from serving.api import messages
from serving.api.containers import Picture, is_picture
from serving.api.images import MAX_SIDE_PX, GreyImage, open_image, open_raw
from serving.api.strokes import EXAMPLE, open_drawing
from serving.drawing.sheet import Sheet
from serving.errors import BadRequestError, UnsupportedBodyError, UnsupportedImageError
from serving.http.decoding import decoded
from serving.model.card import GOLDEN_SHAPE

RAW_TYPE = "application/octet-stream"

# Limit of the parts of a form.
MAX_PARTS = 100
BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
FILE_HEADER = re.compile(rb"filename|content-type", re.IGNORECASE)
FORM_TEXT = "Send the picture as a file part, for example curl -F image=@seven.png."

JSON_TEXT = f'Send {{"image": "data:image/png;base64,..."}}, or strokes: {msgspec.json.encode(EXAMPLE).decode()}.'


class JsonBody(msgspec.Struct):
    """A `messages.Picture` or a `messages.Drawing`."""

    image: str | msgspec.UnsetType = msgspec.UNSET
    strokes: messages.Strokes | msgspec.UnsetType = msgspec.UNSET


DECODER = msgspec.json.Decoder(JsonBody)

# A data URL up to its comma, by the URL standard of the WHATWG.
DATA_URL = re.compile(rb"\s{0,9}data:([^,]{0,200}),", re.IGNORECASE)
BASE64_SIGN = re.compile(rb"; *base64 *$", re.IGNORECASE)

# The characters of base64 text that programs percent-encode, and white space.
PERCENT_ENCODED = b"+/=-_ \t\n\r"
WHITE_SPACE = b" \t\n\f\r"

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_type(request: Request, expected: str) -> None:
    """Raise `UnsupportedBodyError` if the request has another content type."""
    if media_type(request.headers.get("content-type", "")) != expected:
        raise UnsupportedBodyError(f"Send the body with Content-Type: {expected}. This address supports no other type.")


def media_type(content_type: str) -> str:
    """Return a Content-Type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_raw(content_type: str, data: bytes, query: bytes) -> bool:
    """Return whether a body is raw grey bytes: its type says so, and it has sizes or the length of an MNIST image."""
    if media_type(content_type) != RAW_TYPE:
        return False
    return _has_sides(query) or (len(data) == GOLDEN_SHAPE[0] * GOLDEN_SHAPE[1] and not is_picture(data))


def _has_sides(query: bytes) -> bool:
    return b"width" in query or b"height" in query


def open_body(content_type: str, data: bytes, query: bytes, max_pixels: int) -> Picture | Sheet | GreyImage:
    """Find the picture or the strokes in a body, and check the limits without decoding or drawing pixels.

    The content type only distinguishes forms and raw grey bytes. Otherwise it is ignored, because it is often wrong:
    curl sends that of a form by default.

    Args:
        content_type: its Content-Type with its parameters.
        data: the body, not compressed.
        query: query string, with `width` and `height` in pixels for raw grey bytes.
        max_pixels: limit of the picture.

    Raises:
        RequestError: the body has no supported picture and no strokes, or more than one.
    """
    height, width = GOLDEN_SHAPE
    if is_raw(content_type, data, query):
        return open_raw(data, *(_sides(query) if _has_sides(query) else (width, height)), max_pixels)
    try:
        found = _picture_file(content_type, data)
        return open_drawing(found) if isinstance(found, messages.Drawing) else open_image(found, max_pixels)
    except UnsupportedImageError as error:
        if media_type(content_type) != RAW_TYPE:
            raise
        raise UnsupportedImageError(
            f"{error} Raw grey bytes need ?width= and ?height= in pixels, unless they are {width} x {height}."
        ) from None


def _picture_file(content_type: str, data: bytes) -> bytes | messages.Drawing:
    if is_picture(data):
        return data
    kind = media_type(content_type)
    start = data[:100].lstrip(BYTE_ORDER_MARK + WHITE_SPACE)
    if start.startswith(b"{") or kind == "application/json":
        return _from_json(data.removeprefix(BYTE_ORDER_MARK))
    if kind == "multipart/form-data":
        data = _from_form(data, content_type)
    elif kind == "application/x-www-form-urlencoded" and not DATA_URL.match(data):
        fields = [unquote_to_bytes(field.partition(b"=")[2]) for field in data.split(b"&", MAX_PARTS)]
        data = _only_picture(fields) or data
    return _from_base64(data) if DATA_URL.match(data) else data


def _from_json(data: bytes) -> bytes | messages.Drawing:
    body = decoded(DECODER, data, JSON_TEXT)
    match body.image, body.strokes:
        case str(image), msgspec.UNSET:
            return _from_base64(image.encode("ascii", "replace"))
        case msgspec.UNSET, list(strokes):
            return messages.Drawing(strokes)
    raise BadRequestError(f"The JSON needs `image` or `strokes`, and not both. {JSON_TEXT}")


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


# Cached, because clients send many pictures of the same size. Few are kept, because a query may have 32 kB.
@lru_cache(maxsize=8)
def _sides(query: bytes) -> tuple[int, int]:
    """Return width and height in a query."""
    values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return _side("width", values), _side("height", values)


def _side(name: str, query: Mapping[str, str]) -> int:
    text = query.get(name, "")
    if re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= MAX_SIDE_PX:  # int() also accepts signs and spaces
        return int(text)
    raise BadRequestError(
        f"Raw grey bytes need ?width= and ?height= in pixels; {name} is "
        f"{'not a whole number' if text else 'missing: a whole number'} from 1 to {MAX_SIDE_PX}."
    )


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
