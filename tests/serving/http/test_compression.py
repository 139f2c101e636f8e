"""Content codings."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import RequestError
from serving.http.compression import accepted, compress, inflate

LIMIT = 10_000


@given(body=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate"]))
def test_compression_and_inflation_are_inverse(body: bytes, coding: str) -> None:
    compressed = compress(body, coding)
    assert (gzip.decompress if coding == "gzip" else zlib.decompress)(compressed) == body
    assert inflate(compressed, coding, LIMIT) == body


def test_the_limit_applies_to_the_inflated_body() -> None:
    assert len(inflate(gzip.compress(bytes(LIMIT)), " GZip", LIMIT)) == LIMIT
    with pytest.raises(RequestError, match=str(LIMIT)) as caught:
        inflate(gzip.compress(bytes(LIMIT + 1)), "gzip", LIMIT)
    assert caught.value.status == 413


def test_identity_changes_nothing() -> None:
    assert inflate(b"digits", "identity", LIMIT) == b"digits"


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        pytest.param(gzip.compress(b"digits")[:-1], "gzip", 400, id="gzip cut short"),
        pytest.param(zlib.compress(b"digits")[:-5], "deflate", 400, id="deflate cut short"),
        pytest.param(b"", "gzip", 400, id="empty"),
        pytest.param(gzip.compress(b"digits") + b"!", "gzip", 400, id="a byte after the end"),
        pytest.param(gzip.compress(b"digits") * 2, "gzip", 400, id="twice"),
        pytest.param(zlib.compress(b"digits"), "gzip", 400, id="deflate called gzip"),
        pytest.param(gzip.compress(b"digits"), "deflate", 400, id="gzip called deflate"),
        pytest.param(zlib.compress(b"digits")[2:-4], "deflate", 400, id="no zlib header"),
        pytest.param(gzip.compress(b"digits"), "br", 415, id="brotli"),
        pytest.param(gzip.compress(b"digits"), "gzip, gzip", 415, id="two codings"),
        pytest.param(b"digits", "", 415, id="no coding"),
    ],
)
def test_a_stream_that_is_not_whole_is_refused(body: bytes, coding: str, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        inflate(body, coding, LIMIT)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("br, Deflate;q=0.5", "deflate"),
        ("gzip;q=0, deflate", "deflate"),
        ("gzip; q=0.000", None),
        ("gzip;q=0.01", "gzip"),
        ("br, zstd", None),
        ("identity", None),
        ("*", None),
        ("", None),
    ],
)
def test_the_coding_of_the_answer(accept: str, coding: str | None) -> None:
    assert accepted(accept) == coding
