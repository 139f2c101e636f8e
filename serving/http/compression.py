"""Content codings: gzip, and deflate, which HTTP defines as a zlib stream."""

import zlib

from starlette.requests import Request

from serving.errors import BadRequestError, TooLargeError, UnsupportedBodyError
from serving.service import Service

# zlib's window bits for each coding, the preferred coding first.
WINDOW_BITS = {"gzip": 31, "deflate": 15}

# Above this size, compression takes milliseconds, so it runs in a thread.
MAX_INLINE_INFLATE_BYTES = 4 * 2**10
MAX_INLINE_COMPRESS_BYTES = 64 * 2**10

# A smaller answer fits into one packet. Most clients ask for compression by default, and all read an answer without it.
MIN_COMPRESSED_BYTES = 1400

# The client waits for the response, so the fastest level.
LEVEL = 1


def inflate(body: bytes, coding: str, max_bytes: int) -> bytes:
    """Decompress a request body whose Content-Encoding is `coding`. Stop if the result exceeds `max_bytes`."""
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


def compress(body: bytes, coding: str, level: int = LEVEL) -> bytes:
    """Compress a body with one of the codings of `WINDOW_BITS`."""
    return zlib.compress(body, level, WINDOW_BITS[coding])


async def receive(request: Request, max_bytes: int) -> bytes:
    """Receive and decompress a body, in a thread if it is large. The wait for the body belongs to no stage."""
    body = await request.body()
    request.scope["timing"].start()
    if len(body) > max_bytes:
        raise TooLargeError(f"The body has {len(body)} bytes; the limit is {max_bytes}.")
    coding = dict(request.scope["headers"]).get(b"content-encoding", b"").decode("latin-1")
    if not coding:
        return body
    if len(body) <= MAX_INLINE_INFLATE_BYTES:
        return inflate(body, coding, max_bytes)
    return await Service.of(request).engine.short.run(inflate, body, coding, max_bytes)


async def compressed(request: Request, content: bytes, headers: dict[str, str]) -> bytes:
    """Compress a response if the client accepts it, in a thread if it is large. Set the headers."""
    headers["vary"] = "accept-encoding"
    coding = accepted(dict(request.scope["headers"]).get(b"accept-encoding", b"").decode("latin-1"))
    if not coding or len(content) < MIN_COMPRESSED_BYTES:
        return content
    headers["content-encoding"] = coding
    if len(content) <= MAX_INLINE_COMPRESS_BYTES:
        return compress(content, coding)
    return await Service.of(request).engine.short.run(compress, content, coding)
