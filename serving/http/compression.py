"""Content codings: gzip, and deflate, which by its name in HTTP is a zlib stream."""

import zlib

from serving.errors import BadRequestError, TooLargeError, UnsupportedEncodingError
from serving.queue.engine import Engine

# zlib's window bits per coding, the one that is preferred first.
WINDOW_BITS = {"gzip": 31, "deflate": 15}

# Above these, a body is inflated and an answer compressed beside the event loop: either takes milliseconds.
MAX_INLINE_INFLATE_BYTES = 4 * 2**10
MAX_INLINE_COMPRESS_BYTES = 64 * 2**10

# The answer travels at once, so the fastest level.
LEVEL = 1


def inflate(body: bytes, coding: str, max_bytes: int) -> bytes:
    """A body as it was before it was compressed.

    Args:
        body: the request's.
        coding: its Content-Encoding.
        max_bytes: refuses a body that would become larger; no more is ever inflated.

    Raises:
        UnsupportedEncodingError: the coding is another than gzip, deflate or identity.
        TooLargeError: above `max_bytes`.
        BadRequestError: the stream is damaged, cut short, or something follows it.
    """
    coding = coding.strip().lower()
    if coding == "identity":
        return body
    if coding not in WINDOW_BITS:
        raise UnsupportedEncodingError("The body's Content-Encoding is not read here; send gzip, deflate or none.")
    stream = zlib.decompressobj(WINDOW_BITS[coding])
    try:
        inflated = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BadRequestError(f"The body is not a {coding} stream, though its Content-Encoding says so.") from None
    if len(inflated) > max_bytes:
        raise TooLargeError(f"The body is too large: it would inflate to more than {max_bytes} bytes.")
    if not stream.eof:
        raise BadRequestError(f"The body's {coding} stream is cut short.")
    if stream.unused_data:
        raise BadRequestError(f"{len(stream.unused_data)} bytes follow the body's {coding} stream. Send one stream.")
    return inflated


def accepted(accept_encoding: str) -> str | None:
    """The coding to answer in by a request's Accept-Encoding, or None; never one that was not named."""
    named = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameter = item.replace(" ", "").partition(";")
        named[coding] = parameter.rstrip("0.") != "q="  # q=0 and q=0.000 refuse it
    return next((coding for coding in WINDOW_BITS if named.get(coding)), None)


def compress(body: bytes, coding: str) -> bytes:
    """A body in one of the codings of `WINDOW_BITS`."""
    return zlib.compress(body, LEVEL, WINDOW_BITS[coding])


async def inflated(engine: Engine, body: bytes, coding: str, max_bytes: int) -> bytes:
    """As `inflate`, beside the event loop where that takes long; a body without a coding as it is."""
    if not coding:
        return body
    if len(body) <= MAX_INLINE_INFLATE_BYTES:
        return inflate(body, coding, max_bytes)
    return await engine.in_thread(inflate, body, coding, max_bytes)


async def compressed(engine: Engine, content: bytes, coding: str) -> bytes:
    """As `compress`, beside the event loop where that takes long."""
    if len(content) <= MAX_INLINE_COMPRESS_BYTES:
        return compress(content, coding)
    return await engine.in_thread(compress, content, coding)
