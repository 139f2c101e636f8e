"""Content codings."""

import gzip
import zlib

import pytest

from serving.errors import RequestError
from serving.http.compression import accepted, inflate

LIMIT = 10_000


def test_the_limit_applies_to_the_inflated_body() -> None:
    assert len(inflate(gzip.compress(bytes(LIMIT)), " GZip", LIMIT)) == LIMIT
    with pytest.raises(RequestError, match=str(LIMIT)) as caught:
        inflate(gzip.compress(bytes(LIMIT + 1)), "gzip", LIMIT)
    assert caught.value.status == 413
    assert inflate(b"digits", "identity", LIMIT) == b"digits"


GZIP, DEFLATE = gzip.compress(b"digits"), zlib.compress(b"digits")


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (GZIP[:-1], "gzip", 400),
        (DEFLATE[:-5], "deflate", 400),
        (b"", "gzip", 400),
        (GZIP + b"!", "gzip", 400),
        (GZIP * 2, "gzip", 400),
        (DEFLATE, "gzip", 400),
        (DEFLATE[2:-4], "deflate", 400),  # without zlib's header
        (GZIP, "br", 415),
        (GZIP, "gzip, gzip", 415),
        (b"digits", "", 415),
    ],
)
def test_an_incomplete_stream_or_another_coding_is_refused(body: bytes, coding: str, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        inflate(body, coding, LIMIT)
    assert caught.value.status == status


def test_the_coding_of_the_answer() -> None:
    for accept in ("gzip", "gzip, deflate, br", "gzip;q=0.01"):
        assert accepted(accept) == "gzip"
    for accept in ("deflate", "br, Deflate;q=0.5", "gzip;q=0, deflate"):
        assert accepted(accept) == "deflate"
    for accept in ("gzip; q=0.000", "br, zstd", "identity", "*", ""):
        assert accepted(accept) is None
