"""A picture file is checked and stripped before a decoder sees it."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.api import containers
from serving.api.images import open_image
from serving.errors import RequestError, TooLargeError, UnreadableImageError, UnsupportedImageError
from tests.serving.drawings import decode, draw, encode
from tests.serving.hostile import READ, REFUSED, SEVEN, chunk, segment

MAX_PIXELS = 50_000_000
KB = 2**10


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits, so that a file of 64 kB exceeds them as one of 16 MB does the real ones."""
    for name in ("MAX_CHUNKS", "MAX_SEGMENTS", "MAX_BLOCKS"):
        monkeypatch.setattr(containers, name, 1_000)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_with_too_many_pieces_is_refused_before_it_is_decoded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = REFUSED[name](64 * KB)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow has seen the file."))
    with pytest.raises((UnreadableImageError, TooLargeError)):
        open_image(data, MAX_PIXELS)


@pytest.mark.parametrize("name", READ)
def test_what_the_model_does_not_need_is_cut_out(name: str) -> None:
    data = READ[name](64 * KB)
    plain = encode(SEVEN, name.partition(",")[0].upper(), **({"lossless": True} if "WebP" in name else {}))
    assert np.array_equal(decode(data, MAX_PIXELS).pixels, decode(plain, MAX_PIXELS).pixels)
    assert sum(map(len, open_image(data, MAX_PIXELS).pieces)) < 2 * KB


def test_a_hostile_exif_block_takes_no_memory() -> None:
    data = READ["PNG, Exif entries"](256 * KB)  # Pillow would read 5 GB
    tracemalloc.start()
    decode(data, MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_the_limits_are_above_what_encoders_write() -> None:
    noise = Image.effect_noise((1500, 1500), 100).convert("RGB")
    for options in ({"format": "PNG"}, {"format": "GIF"}, {"format": "WEBP"}, {"format": "BMP"}):
        buffer = io.BytesIO()
        noise.save(buffer, **options)  # type: ignore[arg-type]
        assert open_image(buffer.getvalue(), MAX_PIXELS).n_pixels == 1500 * 1500
    metadata = b"".join(segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000)) for _ in range(120))
    jpeg = encode(noise, "JPEG", progressive=True, icc_profile=bytes(500_000), comment=b"x" * 60_000)
    assert open_image(jpeg[:2] + metadata + jpeg[2:], MAX_PIXELS).n_pixels == 1500 * 1500


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = {"save_all": True, "append_images": [draw(1), draw(0)]}
    for file_format, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        data = encode(draw(7), file_format, **frames, **options)
        assert np.abs(decode(data, MAX_PIXELS).pixels.astype(int) - np.asarray(draw(7))).max() <= 1
        assert len(data) > sum(map(len, open_image(data, MAX_PIXELS).pieces))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("n_channels", [1, 3, 4])
def test_a_deep_picture_is_as_bright_as_one_of_8_bits(bits: int, n_channels: int) -> None:
    """Pillow writes no 16-bit colours, so the file is made here."""
    levels = np.asarray(draw(7), np.uint16) * 257 >> 16 - bits
    channels = np.stack([levels] * n_channels, axis=-1)
    if n_channels == 4:
        channels[..., 3] = 65_535
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    grey = decode(png(280, 280, {1: 0, 3: 2, 4: 6}[n_channels], rows), MAX_PIXELS).pixels
    assert np.abs(grey.astype(int) - np.asarray(draw(7))).max() <= 3


def png(width: int, height: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    pieces = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"".join([containers.PNG_START, *pieces])


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_a_phone_picture_that_cannot_be_read_is_refused_with_a_way_out(brand: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match=r"HEIC, AVIF.*PNG or JPEG"):
        decode(b"\0\0\0\x18ftyp" + brand + bytes(100), MAX_PIXELS)


FILES = [encode(Image.effect_noise((9, 7), 80), name) for name in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]
FILES += [encode(draw(7), name, save_all=True, append_images=[draw(1)]) for name in ("GIF", "WEBP", "PNG")]


@settings(deadline=None)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6))
def test_a_decoder_never_sees_another_size_than_the_limits_do(file: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(file)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        picture = open_image(bytes(data), 100_000)
        image = Image.open(io.BytesIO(b"".join(picture.pieces)), formats=[picture.format])
    except (RequestError, OSError, SyntaxError, ValueError):
        return
    assert image.size == (picture.width, picture.height)
