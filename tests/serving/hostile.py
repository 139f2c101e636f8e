"""Pictures that are small or valid, but would keep a decoder busy or fill the memory."""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from .drawings import draw, encode

SEVEN = draw(7).resize((28, 28))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind: bytes, data: bytes, n_bytes: int) -> bytes:
    """Return a PNG that repeats a chunk after its header until it has about this size."""
    png, one = encode(SEVEN, "PNG"), chunk(kind, data)
    return png[:33] + one * (n_bytes // len(one)) + png[33:]


def exif_entries(n_bytes: int) -> bytes:
    """Return an Exif block of about this size, whose entries each claim the whole block."""
    tags = range(0x0113, 0x0113 + min(65_000, n_bytes // 12))  # after the tag of the orientation
    entries = b"".join(struct.pack("<HHII", tag, 1, 12 * len(tags), 8) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(n_bytes - len(entries))


def jpeg_with(segment: bytes, n_bytes: int) -> bytes:
    """Return a JPEG that repeats a segment before its header until it has about this size."""
    jpeg = encode(SEVEN, "JPEG")
    return jpeg[:2] + segment * (n_bytes // len(segment)) + jpeg[2:]


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def gif_with(blocks: bytes) -> bytes:
    """Return a GIF with a comment of these sub-blocks."""
    gif = encode(SEVEN, "GIF")
    at = gif.index(b",")
    return gif[:at] + b"!\xfe" + blocks + b"\0" + gif[at:]


def webp_with(one: bytes, n_bytes: int) -> bytes:
    """Return a WebP that repeats a chunk at its end until it has about this size."""
    webp = encode(SEVEN, "WEBP", lossless=True) + one * (n_bytes // len(one))
    return webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]


def bmp(width: int, height: int, commands: bytes) -> bytes:
    """Return a BMP with run-length coding."""
    start = 54 + 1024
    return (
        b"BM" + struct.pack("<IHHI", start + len(commands), 0, 0, start)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(commands), 0, 0, 256, 0) + bytes(1024) + commands
    )  # fmt: skip


def column(n_pixels: int) -> bytes:
    """Return a PNG that is one pixel wide."""
    return encode(Image.new("1", (1, n_pixels)), "PNG")


def scans(n_bytes: int) -> bytes:
    """Return a progressive JPEG that repeats its last scan until it has about this size."""
    jpeg = encode(SEVEN, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * (n_bytes // len(last)) + jpeg[-2:]


# Each makes a file of about this many bytes. It is refused from some kB on.
REFUSED: dict[str, Callable[[int], bytes]] = {
    "JPEG, Exif in short segments": lambda n: jpeg_with(segment(0xE1, b"Exif\0\0" + bytes(10)), n),
    "JPEG, empty segments": lambda n: jpeg_with(segment(0xE5, b""), n),
    "JPEG, fill bytes": lambda n: jpeg_with(b"\xff", n),
    "JPEG, tables": lambda n: jpeg_with(segment(0xDB, bytes(65 * 900)), n),
    "JPEG, scans": scans,
    "PNG, empty chunks": lambda n: png_with(b"teSt", b"", n),
    "PNG, text": lambda n: png_with(b"tEXt", b"a\0b", n),
    "PNG, empty pixel chunks": lambda n: png_with(b"IDAT", b"", n),
    "PNG, palette": lambda n: png_with(b"PLTE", bytes(n // 2), n),
    "PNG, a column": lambda n: column(50_000_000 if n > 1e6 else 70_000),
    "GIF, sub-blocks": lambda n: gif_with(b"\x01a" * (n // 2)),
    "WebP, empty chunks": lambda n: webp_with(b"teSt\0\0\0\0", n),
    "BMP, one row": lambda n: bmp(49_999_999, 1, b"\x01\0\0\0"),
    "BMP, ends of line": lambda n: bmp(1100, 1100, b"\0\0" * (n // 2)),
}

# These are read, because what makes them hostile is cut out.
READ: dict[str, Callable[[int], bytes]] = {
    "JPEG, Exif in long segments": lambda n: jpeg_with(segment(0xE1, b"Exif\0\0" + bytes(65_000)), n),
    "JPEG, data after the end": lambda n: encode(SEVEN, "JPEG") + b"\xff\xda" * (n // 2),
    "PNG, Exif entries": lambda n: png_with(b"eXIf", exif_entries(n // 2), n),
    "PNG, compressed text": lambda n: png_with(b"zTXt", b"a\0\0" + zlib.compress(bytes(4 * n), 9), 8 * n // 1_000),
    "PNG, data after the end": lambda n: encode(SEVEN, "PNG") + chunk(b"teSt", b"") * (n // 12),
    "GIF, frames": lambda n: encode(SEVEN, "GIF")[:-1] + b"!\xfe\x01a\0" * (n // 5),
    "WebP, metadata": lambda n: webp_with(b"XMP " + struct.pack("<I", n // 2) + bytes(n // 2), n),
}
