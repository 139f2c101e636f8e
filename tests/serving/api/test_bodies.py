"""Bad bodies are rejected with a reason and in little memory; test_predict.py has the good ones."""

import json
import tracemalloc
from urllib.parse import urlencode

import pytest

from serving.api.bodies import Body, open_body
from serving.errors import BadRequestError, RequestError

MAX_PIXELS = 50_000_000


def as_json(image: object) -> bytes:
    return json.dumps({"image": image}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 1_000, "not JSON"),
        (b'{"a":' * 100_000, "100000 brackets"),
        (b"[" + b"[]," * 100_000 + b"0]", "200001 brackets"),
        (("[" * 100_000).encode("utf-16"), "100000 brackets"),
        (b"[]", "image"),
        (as_json(7), "image"),
        (as_json("data:image/png,raw"), "base64"),
        (as_json("data:image/png;base64"), "base64"),
        (as_json("abcde"), "base64"),
        (as_json("\u00fc"), "base64"),
    ],
)
def test_bad_json_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        open_body(Body("application/json", data), b"", MAX_PIXELS)


@pytest.mark.parametrize("width", ["", "0", "-1", "+1", "1.0", "x", "65536", "\uff19", "1" * 5000, None])
def test_a_bad_width_is_refused(width: str | None) -> None:
    query = urlencode({"height": "1"} | ({} if width is None else {"width": width})).encode()
    with pytest.raises(BadRequestError, match="width is missing" if width is None else "width"):
        open_body(Body("application/octet-stream", b"1"), query, MAX_PIXELS)


@pytest.mark.parametrize("data", [b"[" + b"[]," * 5_000_000 + b"0]", as_json("AAA " * 4_000_000)])
def test_a_large_json_is_rejected_in_little_memory(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(RequestError):
        open_body(Body("application/json", data), b"", MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 5 * len(data)
    tracemalloc.stop()
