"""Attacks: the bytes of a connection, or a stream of them."""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import repeat

from PIL import Image

from ..drawings import encode
from .client import request

MB = 2**20

# Just below the limit of 50 megapixels: accepted, and the most expensive size.
LARGE = (7_070, 7_070)

Stream = bytes | Iterable[bytes]


def post(path: str, chunks: Iterable[bytes], **headers: str) -> Iterator[bytes]:
    yield request(path, **headers).replace(b"Content-Length: 0\r\n", b"")
    yield from chunks


PREDICT = "/api/predict"
INFER = "/v2/models/digits/infer"
CHUNKED = {"Transfer_Encoding": "chunked"}
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FORM = "multipart/form-data; boundary=x"
HUGE = {"name": "image", "datatype": "UINT8", "shape": [1, 2**31, 2**31], "data": [0]}
ZEROS = bytes(MB)


def gzip_bomb() -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    body = b"".join([*(compressor.compress(ZEROS) for _ in range(1024)), compressor.flush()])
    return request(INFER, body, Content_Encoding="gzip")


def many_headers(n_headers: int) -> bytes:
    return request(PREDICT, b"", **{f"X-{number}": "y" for number in range(n_headers)})


# Each gets an error or no answer.
HTTP = {
    "huge body, announced": lambda: post(PREDICT, repeat(ZEROS), Content_Length=str(10 * 2**30)),
    "huge body, chunked": lambda: post(PREDICT, repeat(b"100000\r\n%s\r\n" % ZEROS), **CHUNKED),
    "chunks of one byte": lambda: post(PREDICT, repeat(b"1\r\nx\r\n" * 10_000, 100), **CHUNKED),
    "endless chunk extension": lambda: post(PREDICT, [b"1;", *repeat(b"x" * 65_536, 10_000)], **CHUNKED),
    "endless trailers": lambda: post(PREDICT, [b"1\r\nx\r\n0\r\n", *repeat(b"A: b\r\n" * 10_000, 10_000)], **CHUNKED),
    "gzip bomb": gzip_bomb,
    "deep JSON": lambda: request(INFER, b"[" * MB),
    "brackets": lambda: request(INFER, b'{"inputs":[' + b"[]," * (5 * MB)),
    "numbers": lambda: request(INFER, b'{"inputs":[' + b"1," * (MB - 20) + b"1]}"),
    "shape": lambda: request(INFER, json.dumps({"inputs": [HUGE]}).encode()),
    "thousands of headers": lambda: many_headers(5_000),
    "a few long headers": lambda: many_headers(10)[:-2] + b"X: " + b"y" * MB + b"\r\n\r\n",
    "long URL": lambda: request("/" + "a" * MB, b"", "GET"),
    "head without end": lambda: [b"GET / HTTP/1.1\r\n", *repeat(b"X-Header: value\r\n" * 1000, 10_000)],
    "no HTTP": lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100,
    "two lengths": lambda: request(PREDICT, b"12", content_length="3"),
    "length and chunked": lambda: request(PREDICT, b"0\r\n\r\n", Transfer_Encoding="chunked"),
    "negative length": lambda: request(PREDICT, b"", Content_Length="-1"),
    "thousands of parts": lambda: request(PREDICT, PART * 100_000 + b"--x--\r\n", Content_Type=FORM),
}


def gif(screen: int, frame: int) -> bytes:
    """Return a GIF of two colours with these sides of its screen and its frame."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(3) + b"\xff\xff\xff"
        + b"," + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\x02\x02\x4c\x01\x00;"
    )  # fmt: skip


def with_sides(data: bytes, at: int, layout: str, *sides: int) -> bytes:
    """Return a file whose header claims other sides."""
    size = struct.calcsize(layout)
    return data[:at] + struct.pack(layout, *sides) + data[at + size :]


def jpeg_of(side: int) -> bytes:
    data = encode(Image.new("L", (28, 28)), "JPEG")
    return with_sides(data, data.index(b"\xff\xc0") + 5, ">HH", side, side)


# Files that claim, or unpack to, more than the limits: each is rejected.
IMAGES = {
    "JPEG, 65535 x 65535": lambda: jpeg_of(65_535),
    "WebP, 16383 x 16383": lambda: b"RIFF\x2a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0" * 2 + bytes(20),
    "GIF, 65535 x 65535": lambda: gif(65_535, 65_535),
    "GIF, a frame larger than its screen": lambda: gif(10, 65_535),
    "BMP, 2^31 x 2^31": lambda: with_sides(encode(Image.new("L", (28, 28)), "BMP"), 18, "<ii", 2**31 - 1, 2**31 - 1),
    "BMP, cut short at the limit": lambda: with_sides(encode(Image.new("L", (28, 28)), "BMP"), 18, "<ii", *LARGE),
}


@cache
def large(file_format: str, mode: str) -> bytes:
    """Return a valid picture at the limit in a few kB."""
    options = {"WEBP": {"lossless": True, "method": 0, "quality": 0}, "JPEG": {"progressive": True}}
    return encode(Image.new(mode, LARGE), file_format, **options.get(file_format, {}))


LARGE_IMAGES = [*[("WEBP", "RGBA")] * 3, ("PNG", "1"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("GIF", "P"), ("BMP", "1")]
