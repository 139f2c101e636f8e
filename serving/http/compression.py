"""Content codings: gzip, and deflate, which HTTP defines as a zlib stream."""

import zlib

from serving.errors import BadRequestError, TooLargeError, UnsupportedBodyError
from serving.queue.engine import Engine

# zlib's window bits for each coding, the preferred coding first.
WINDOW_BITS = {"gzip": 31, "deflate": 15}

# Above this size, compression takes milliseconds, so it runs in a thread.
MAX_INLINE_INFLATE_BYTES = 4 * 2**10
MAX_INLINE_COMPRESS_BYTES = 64 * 2**10

# The client waits for the response, so the fastest level.
LEVEL = 1


def inflate(body: bytes, coding: str, max_bytes: int) -> bytes:
    """Decompress a request body.

    Args:
        body: the body as sent.
        coding: value of Content-Encoding.
        max_bytes: limit of the result; inflating stops there.

    Raises:
        UnsupportedBodyError: the coding is not gzip, deflate or identity.
        TooLargeError: the result exceeds `max_bytes`.
        BadRequestError: the stream is damaged, cut short, or followed by other bytes.
    """
    coding = coding.strip().lower()
    if coding == "identity":
        return body
    if coding not in WINDOW_BITS:
        raise UnsupportedBodyError(
            "The body's Content-Encoding is not supported; send gzip, deflate or none.",
            {"accept-encoding": ", ".join(WINDOW_BITS)},
        )
    stream = zlib.decompressobj(WINDOW_BITS[coding])
    try:
        inflated = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BadRequestError(f"The body is not a {coding} stream, unlike its Content-Encoding.") from None
    if len(inflated) > max_bytes:
        raise TooLargeError(f"The body is too large: it would inflate to more than {max_bytes} bytes.")
    if not stream.eof:
        raise BadRequestError(f"The body's {coding} stream is cut short.")
    if stream.unused_data:
        raise BadRequestError(f"{len(stream.unused_data)} bytes follow the body's {coding} stream. Send one stream.")
    return inflated


def accepted(accept_encoding: str) -> str | None:
    """Choose the coding of the response from the Accept-Encoding header; None if it names no known coding."""
    named = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameter = item.replace(" ", "").partition(";")
        named[coding] = parameter.rstrip("0.") != "q="  # q=0 and q=0.000 refuse it
    return next((coding for coding in WINDOW_BITS if named.get(coding)), None)


def compress(body: bytes, coding: str) -> bytes:
    """Compress a body with one of the codings of `WINDOW_BITS`."""
    return zlib.compress(body, LEVEL, WINDOW_BITS[coding])


async def inflated(engine: Engine, body: bytes, coding: str, max_bytes: int) -> bytes:
    """Call `inflate`, in a thread if the body is large. Return a body without a coding unchanged."""
    if not coding:
        return body
    if len(body) <= MAX_INLINE_INFLATE_BYTES:
        return inflate(body, coding, max_bytes)
    return await engine.short.run(inflate, body, coding, max_bytes)


async def compressed(engine: Engine, content: bytes, coding: str) -> bytes:
    """Call `compress`, in a thread if the content is large."""
    if len(content) <= MAX_INLINE_COMPRESS_BYTES:
        return compress(content, coding)
    return await engine.short.run(compress, content, coding)
