"""The picture in a body is found; bad bodies are rejected with a reason and in little memory."""

import base64
import json
import tracemalloc
from urllib.parse import quote, urlencode

import pytest

from serving.api.bodies import open_body
from serving.api.containers import Picture
from serving.errors import BadRequestError, RequestError, UnsupportedImageError
from tests.serving.drawings import draw, encode

MAX_PIXELS = 50_000_000


def as_json(image: object) -> bytes:
    return json.dumps({"image": image}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON.*byte 1.*Send"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 1_000, "not as expected"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"[" + b"[]," * 100_000 + b"0]", "not as expected"),
        (b"[]", "image"),
        (as_json(7), "image"),
        (b"{}", "`image` or `strokes`"),
        (b'{"image": "AAAA", "strokes": [[[0, 0]]]}', "not both"),
        (b'{"strokes": "ab"}', r"\$\.strokes"),
    ],
)
def test_bad_json_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        open_body("application/json", data, b"", MAX_PIXELS)


@pytest.mark.parametrize("width", ["", "0", "-1", "+1", "1.0", "x", "65536", "\uff19", "1" * 5000, None])
def test_a_bad_width_is_refused(width: str | None) -> None:
    query = urlencode({"height": "1"} | ({} if width is None else {"width": width})).encode()
    with pytest.raises(BadRequestError, match="width is missing" if width is None else "width"):
        open_body("application/octet-stream", b"1", query, MAX_PIXELS)


@pytest.mark.parametrize("data", [b"[" + b"[]," * 5_000_000 + b"0]", as_json("AAA " * 4_000_000)])
def test_a_large_json_is_rejected_in_little_memory(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(RequestError):
        open_body("application/json", data, b"", MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 5 * len(data)
    tracemalloc.stop()


PNG = encode(draw(7).resize((28, 28)), "PNG")
JPEG = encode(draw(7).resize((28, 28)), "JPEG")
BASE64 = base64.b64encode(PNG).decode()
assert {"+", "/"} < set(BASE64), "The test needs the characters that the alphabets differ in."
URL = f"data:image/png;base64,{BASE64}"


def found(content_type: str, data: bytes) -> bytes:
    picture = open_body(content_type, data, b"", MAX_PIXELS)
    assert isinstance(picture, Picture)
    return b"".join(picture.pieces)


@pytest.mark.parametrize(
    "text",
    [
        BASE64,
        BASE64.rstrip("="),
        BASE64.replace("+", "-").replace("/", "_"),
        BASE64.replace("+", "-").replace("/", "_").rstrip("="),
        "\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
        quote(BASE64, safe=""),
        URL,
        URL.rstrip("="),
        f"  {URL} \n",
        URL.replace("data:", "DATA:").replace(";base64", ";BASE64"),
        URL.replace(";base64", "; base64 "),
        URL.replace("image/png", "image/png;name=seven.png"),
        URL.replace("image/png", ""),
        f"data:image/png;base64,{quote(BASE64, safe='')}",
        f"data:image/png;base64,{BASE64.replace('+', '%2b').replace('/', '%2f').replace('=', '%3d')}",
        f"data:image/png;base64,{BASE64[:40]}%0A {BASE64[40:]}",
    ],
)
def test_base64_is_read_as_the_standards_say(text: str) -> None:
    assert found("application/json", as_json(text)) == PNG


@pytest.mark.parametrize(
    "text",
    ["AAAAA", "AA=A", "AAA==", "A===", "=", "AA\0A", "AA*A", "\u00fc", "data:image/png,AAAA", "data:image/png;base64"],
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError, match="base64"):
        open_body("application/json", as_json(text), b"", MAX_PIXELS)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png"]
)
@pytest.mark.parametrize(
    "data",
    [
        as_json(URL),
        b" \n" + as_json(BASE64),
        b"\xef\xbb\xbf" + as_json(URL),
        URL.encode(),
        PNG,
    ],
    ids=["JSON", "JSON after white space", "JSON after a mark", "data URL", "PNG"],
)
def test_a_picture_is_found_whatever_the_content_type(content_type: str, data: bytes) -> None:
    assert found(content_type, data) == PNG


def test_a_field_with_an_encoded_data_url_is_found() -> None:
    data = urlencode({"note": "a & b", "image": URL, "other": "x"}).encode()
    assert found("application/x-www-form-urlencoded", data) == PNG


def part(content: bytes, *headers: str) -> bytes:
    return "\r\n".join(["--x", *headers, "", ""]).encode() + content + b"\r\n"


def named(content: bytes, name: str, *more: str) -> bytes:
    return part(content, f'Content-Disposition: form-data; name="{name}"' + "".join(more))


PICTURE = named(PNG, "image", '; filename="seven.png"')
EMPTY = part(b"", 'Content-Disposition: form-data; name="a"; filename=""', "Content-Type: application/octet-stream")
TEXT_FILE = part(
    b"some notes", 'Content-Disposition: form-data; name="b"; filename="b.txt"', "Content-Type: text/plain"
)


@pytest.mark.parametrize(
    "parts",
    [
        [PICTURE],
        [EMPTY, PICTURE],
        [PICTURE, EMPTY],
        [named(b"a note", "note"), PICTURE],
        [TEXT_FILE, PICTURE, named(b"", "c")],
        [named(PNG, "image", "; filename*=UTF-8''seven.png")],
        [named(PNG, "image")],
        [part(PNG, "Content-Type: image/png")],
        [part(PNG, "Content-Disposition: form-data", "Content-Type: image/png")],
        [part(PNG)],
        [named(URL.encode(), "image")],
        [named(b"a note", "note"), named(URL.rstrip("=").encode(), "image")],
    ],
)
@pytest.mark.parametrize("boundary", ["x", '"x"', "x; charset=utf-8"])
def test_the_picture_in_a_form_is_found(parts: list[bytes], boundary: str) -> None:
    data = b"preamble\r\n" + b"".join(parts) + b"--x--\r\n"
    for body in (data, data.removeprefix(b"preamble\r\n")):
        assert found(f"multipart/form-data; boundary={boundary}", body) == PNG


@pytest.mark.parametrize(
    ("content_type", "data", "error", "reason"),
    [
        ("multipart/form-data; boundary=x", PICTURE + named(JPEG, "b") + b"--x--", BadRequestError, "2 pictures"),
        (
            "multipart/form-data; boundary=x",
            PICTURE + named(URL.encode(), "b") + b"--x--",
            BadRequestError,
            "2 pictures",
        ),
        ("application/x-www-form-urlencoded", f"a={URL}&b={URL}".encode(), BadRequestError, "2 pictures"),
        ("multipart/form-data; boundary=x", named(b"seven", "a") + EMPTY + b"--x--", BadRequestError, "no picture"),
        ("multipart/form-data; boundary=x", b"--x--", BadRequestError, "no picture"),
        ("multipart/form-data; boundary=x", TEXT_FILE + b"--x--", UnsupportedImageError, "10 bytes are not a picture"),
        ("multipart/form-data; boundary=x", PICTURE[:-20], BadRequestError, "cut short"),
        ("multipart/form-data; boundary=x", named(b"1", "a") * 1000 + b"--x--", BadRequestError, "100 parts"),
        ("multipart/form-data; boundary=x", b"", BadRequestError, "cut short"),
        ("multipart/form-data", PICTURE + b"--x--", BadRequestError, "no boundary"),
    ],
)
def test_a_bad_form_is_refused(content_type: str, data: bytes, error: type[RequestError], reason: str) -> None:
    with pytest.raises(error, match=reason):
        open_body(content_type, data, b"", MAX_PIXELS)


def test_raw_grey_bytes_may_begin_like_json() -> None:
    grey = open_body("application/octet-stream", b"{" * 100, b"width=10&height=10", MAX_PIXELS)
    assert not isinstance(grey, Picture)
    assert grey.pixels.tolist() == [[ord("{")] * 10] * 10
