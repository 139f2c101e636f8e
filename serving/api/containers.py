"""Check a picture file before Pillow sees it, and cut out what the model does not need.

Pillow walks the pieces of a file in Python and joins metadata in quadratic time, and an Exif block of 1 MB can claim
gigabytes. So Pillow only gets the pieces that hold pixels, colours or transparency. The Exif orientation is read here.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from serving.errors import UnreadableImageError, UnsupportedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
FORMATS_TEXT = "PNG, JPEG, WebP, BMP or GIF"

# Limits of the pieces of a file. In 16 MB, encoders write 2,000 chunks, 300 segments or 66,000 blocks.
MAX_CHUNKS = 10_000  # PNG and WebP
MAX_SEGMENTS = 1_000  # JPEG, before the first scan
MAX_BLOCKS = 100_000  # GIF, up to the end of the first frame

# Size limits of tables. The largest valid ones have 768 and 2,176 bytes.
MAX_PNG_TABLE_BYTES = 768
MAX_JPEG_TABLE_BYTES = 2_200

# Limits of a JPEG's scans. Each visits all pixels, even if it has only a few bytes; encoders write 1 to 20 scans.
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 10**9

DAMAGED_TEXT = "The picture is damaged or cut short. Save it again and send that."

EXIF_START = b"Exif\0\0"

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_TABLES = (b"PLTE", b"tRNS")

SCAN, END, APP1 = b"\xff\xda", b"\xff\xd9", 0xE1
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
TABLES = FRAMES | {0xC4, 0xCC, 0xDB, 0xDD}
COLOUR_SPACES = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}

WEBP_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")


@dataclass
class Picture:
    """A picture file within the limits; its pixels are not decoded.

    Attributes:
        format: one of `FORMATS`.
        width: width in pixels as stored.
        height: height in pixels as stored.
        pieces: the parts of the file that Pillow needs. Large ones share the file's memory.
        exif: the first Exif block, from its TIFF header to the end of the file.
        is_deep: the file has 16 bits a channel.
    """

    format: str
    width: int = 0
    height: int = 0
    pieces: list[bytes | memoryview] = field(default_factory=list)
    exif: bytes | memoryview = b""
    is_deep: bool = False

    @property
    def n_pixels(self) -> int:
        """Return the number of pixels."""
        return self.width * self.height


def walk(data: bytes) -> Picture:
    """Check the pieces of a picture file against the limits. Return those that Pillow needs.

    Raises:
        UnsupportedImageError: the file has none of the `FORMATS`.
        UnreadableImageError: the file is damaged, or has more pieces than encoders write.
    """
    start = next((start for start in WALKS if data.startswith(start)), None)
    if start is None:
        if data[4:8] == b"ftyp":
            raise UnsupportedImageError("HEIC, AVIF and videos are not supported. Save the picture as PNG or JPEG.")
        raise UnsupportedImageError(f"These {len(data)} bytes are not a picture. Send a {FORMATS_TEXT} file.")
    name, walk_format = WALKS[start]
    picture = Picture(name)
    try:
        walk_format(data, memoryview(data), picture)
    except (struct.error, IndexError):  # the file ends too early
        _refuse()
    return picture


def is_picture(data: bytes) -> bool:
    """Return whether bytes begin like a picture, even one that is not supported."""
    return data.startswith((*WALKS, b"II*\0", b"MM\0*")) or data[4:8] == b"ftyp"


def _refuse(text: str = DAMAGED_TEXT) -> NoReturn:
    raise UnreadableImageError(text)


def _pieces(limit: int, name: str) -> Iterator[None]:
    """Count the pieces of a file."""
    for _ in range(limit):
        yield
    _refuse(f"The picture has more than {limit} {name}. Save it again without metadata and send that.")


def _walk_png(data: bytes, view: memoryview, picture: Picture) -> None:
    start, picture.width, picture.height, depth = struct.unpack_from(">8sIIB", data, 8)
    if start != b"\0\0\0\x0dIHDR":
        _refuse()
    picture.is_deep = depth == 16
    picture.pieces, kind, at = [view[:33]], b"", 33
    for _ in _pieces(MAX_CHUNKS, "chunks"):
        if at + 8 > len(data) or kind == b"IEND":
            break
        n_bytes, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + n_bytes
        if end > len(data) or (kind in PNG_TABLES and n_bytes > MAX_PNG_TABLE_BYTES):
            _refuse()
        if kind in (*PNG_TABLES, b"IDAT", b"IEND"):
            picture.pieces.append(view[at:end])
        elif kind == b"eXIf":
            picture.exif = view[at + 8 :]
        at = end


def _walk_jpeg(data: bytes, view: memoryview, picture: Picture) -> None:
    """Keep only the tables, the colour space and the scans of the first picture in a file."""
    picture.pieces, at = [data[:2]], 2
    for _ in _pieces(MAX_SEGMENTS, "segments"):
        start, marker = at, data[at + 1]
        if data.startswith(SCAN, at):
            break
        if data[at] != 0xFF or data.startswith(END, at):
            _refuse()
        if marker == 0xFF or marker in WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        (n_bytes,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + n_bytes
        is_small = 2 <= n_bytes <= MAX_JPEG_TABLE_BYTES
        if marker in TABLES and not is_small:
            _refuse()
        if marker in FRAMES:
            picture.height, picture.width = struct.unpack_from(">HH", data, start + 5)
        elif marker == APP1 and data.startswith(EXIF_START, start + 4) and not picture.exif:
            picture.exif = view[start + 4 + len(EXIF_START) :]
        if marker in TABLES or (is_small and data.startswith(COLOUR_SPACES.get(marker, ()), start + 4)):
            picture.pieces.append(view[start:at])
    end = data.find(END, at)
    end = len(data) if end < 0 else end + len(END)  # cameras may leave out the end
    n_scans = data.count(SCAN, at, end)
    limit = max(1, min(MAX_SCANS, MAX_SCANNED_PIXELS // max(1, picture.n_pixels)))
    if n_scans > limit:
        _refuse(f"The JPEG has {n_scans} scans; the limit at its size is {limit}. Save it again as a baseline JPEG.")
    picture.pieces.append(view[at:end])


def _walk_gif(data: bytes, view: memoryview, picture: Picture) -> None:
    """Keep only the palette, the transparency and the pixels of the first frame."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    blocks = _pieces(MAX_BLOCKS, "blocks")

    def palette_bytes(flags: int) -> int:
        return 3 << (flags & 7) + 1 if flags & 0x80 else 0

    def end_of_blocks(at: int) -> int:
        for _ in blocks:
            if not data[at]:
                break
            at += 1 + data[at]
        return at + 1

    at = 13 + palette_bytes(flags)
    picture.pieces = [view[:at]]
    while data[at] == ord("!"):
        end = end_of_blocks(at + 2)
        if data[at + 1 : at + 3] == b"\xf9\x04":
            picture.pieces[1:] = [view[at:end]]
        at = end
    left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, at + 1)
    if data[at] != ord(","):
        _refuse()
    picture.pieces += [view[at : end_of_blocks(at + 11 + palette_bytes(flags))], b";"]
    picture.width, picture.height = max(width, left + frame_width), max(height, top + frame_height)


def _walk_webp(data: bytes, view: memoryview, picture: Picture) -> None:
    """Keep only the pixels and the transparency, of an animation those of the first frame."""
    if data[8:12] != b"WEBP" or data[12:16] not in (b"VP8X", *WEBP_PIXELS):
        _refuse()
    picture.width, picture.height = _webp_size(data)
    kept: list[bytes | memoryview] = []
    n_chunks = _pieces(MAX_CHUNKS, "chunks")
    limit = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for kind, start, end in _riff_chunks(data, 12, limit, n_chunks):
        if kind in (b"VP8X", b"ANIM", *WEBP_PIXELS):
            kept.append(view[start:end])
        elif kind == b"ANMF" and kind not in kept:
            inside = _riff_chunks(data, start + 24, end, n_chunks)
            frame = [view[at:to] for kind, at, to in inside if kind in WEBP_PIXELS]
            kept += [b"ANMF", struct.pack("<I", 16 + sum(map(len, frame))), view[start + 8 : start + 24], *frame]
        elif kind == b"EXIF":
            picture.exif = view[start + (14 if data.startswith(EXIF_START, start + 8) else 8) :]
    picture.pieces = [b"RIFF", struct.pack("<I", 4 + sum(map(len, kept))), b"WEBP", *kept]


def _riff_chunks(data: bytes, at: int, limit: int, n_chunks: Iterator[None]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk."""
    for _ in n_chunks:
        if at + 8 > limit:
            return
        kind, n_bytes = struct.unpack_from("<4sI", data, at)
        start, at = at, at + 8 + n_bytes + n_bytes % 2
        if at > limit + n_bytes % 2:
            _refuse()
        yield kind, start, at


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height in the first chunk."""
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    start, unit = (21, 14) if data[12:16] == b"VP8L" else (26, 16)
    bits = int.from_bytes(data[start : start + 4], "little")
    return (bits & 0x3FFF) + (unit == 14), (bits >> unit & 0x3FFF) + (unit == 14)


def _walk_bmp(data: bytes, view: memoryview, picture: Picture) -> None:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    layout = "<HH" if header_bytes == 12 else "<Ii4xI"
    picture.width, height, *compression = struct.unpack_from(layout, data, 18)
    picture.height, picture.pieces = abs(height), [view]
    if compression in ([1], [2]):  # run-length coding, which Pillow decodes in Python
        _refuse("The BMP is compressed. Save it as PNG and send that.")


WALKS: dict[bytes, tuple[str, Callable[[bytes, memoryview, Picture], None]]] = {
    PNG_START: ("PNG", _walk_png),
    b"\xff\xd8\xff": ("JPEG", _walk_jpeg),
    b"GIF8": ("GIF", _walk_gif),
    b"RIFF": ("WEBP", _walk_webp),
    b"BM": ("BMP", _walk_bmp),
}
