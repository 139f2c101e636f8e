"""Every form of body yields the same picture; a bad one is rejected with a reason."""

import base64
import json
import tracemalloc
from urllib.parse import urlencode

import numpy as np
import pytest

from serving.api.bodies import Body, open_body
from serving.api.images import to_grey
from serving.errors import BadRequestError, RequestError
from tests.serving.drawings import draw, encode

MAX_PIXELS = 50_000_000
SEVEN = draw(7)
PNG = encode(SEVEN, "PNG")
BASE64 = base64.b64encode(PNG).decode()


def as_json(image: object) -> bytes:
    return json.dumps({"image": image}).encode()


@pytest.mark.parametrize(
    ("content_type", "data", "query"),
    [
        ("image/png", PNG, b""),
        ("image/jpeg", PNG, b""),
        ("text/plain", PNG, b""),
        ("application/x-www-form-urlencoded", PNG, b""),
        ("application/octet-stream", PNG, b""),
        ("", PNG, b""),
        ("", PNG, b"width=1"),
        ("application/octet-stream", SEVEN.tobytes(), b"width=280&height=280"),
        ("application/json", as_json(f"data:image/png;base64,{BASE64}"), b""),
        ("application/json", as_json(BASE64), b""),
        ("application/json", as_json(base64.encodebytes(PNG).decode()), b""),
    ],
)
def test_every_form_holds_the_same_picture(content_type: str, data: bytes, query: bytes) -> None:
    image = open_body(Body(content_type, data), query, MAX_PIXELS)
    assert np.array_equal(to_grey(image).pixels, np.asarray(SEVEN))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 1_000, "not JSON"),
        (b"[" * 100_000, "100000 brackets"),
        (b'{"a":' * 100_000, "100000 brackets"),
        (b"[" + b"[]," * 100_000 + b"0]", "200001 brackets"),
        (("[" * 100_000).encode("utf-16"), "100000 brackets"),
        (b"[]", "image"),
        (b"{}", "image"),
        (as_json(None), "image"),
        (as_json(7), "image"),
        (as_json("data:image/png,raw"), "base64"),
        (as_json("data:image/png;base64"), "0 bytes"),
        (as_json("$$$$"), "base64"),
        (as_json("abcde"), "base64"),
        (as_json("ü"), "base64"),
        (as_json(""), "0 bytes"),
    ],
)
def test_bad_json_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        open_body(Body("application/json", data), b"", MAX_PIXELS)


@pytest.mark.parametrize("data", [b"[" + b"[]," * 5_000_000 + b"0]", as_json("AAA " * 4_000_000)])
def test_a_large_json_is_rejected_in_little_memory(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(RequestError):
        open_body(Body("application/json", data), b"", MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 5 * len(data)
    tracemalloc.stop()


@pytest.mark.parametrize("width", ["", "0", "-1", "+1", " 1", "1.0", "x", "65536", "\uff19", "1" * 5000])
def test_a_bad_width_is_refused(width: str) -> None:
    with pytest.raises(BadRequestError, match="width"):
        open_body(
            Body("application/octet-stream", b"1"), urlencode({"width": width, "height": "1"}).encode(), MAX_PIXELS
        )


def test_a_missing_height_is_named() -> None:
    with pytest.raises(BadRequestError, match="height is missing"):
        open_body(Body("application/octet-stream", b"1"), b"width=1", MAX_PIXELS)
