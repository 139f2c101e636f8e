"""Every kind of picture yields the same grey levels; other files are rejected."""

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.api.images import GreyImage
from serving.errors import RequestError, TooLargeError, UnreadableImageError, UnsupportedImageError
from tests.serving.drawings import bomb, decode, draw, encode, exif, on_transparent, sideways

MAX_PIXELS = 50_000_000

SEVEN = draw(7)
LEVELS = np.asarray(SEVEN)


def read(image: Image.Image, file_format: str = "PNG", **options: object) -> npt.NDArray[np.uint8]:
    return decode(encode(image, file_format, **options), MAX_PIXELS).pixels


def palette_with_a_transparent_paper() -> bytes:
    image = draw(7, ink=1, paper=0).convert("P")
    image.putpalette([255, 0, 255, 0, 0, 0])
    return encode(image, "PNG", transparency=0)


def rgb_with_a_transparent_paper() -> bytes:
    ink = draw(7, ink=0, paper=9)
    return encode(Image.merge("RGB", (ink, ink, ink)), "PNG", transparency=(9, 9, 9))


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (encode(SEVEN, "PNG"), 0),
        (encode(SEVEN.convert("1"), "PNG"), 0),
        (encode(SEVEN.convert("P"), "PNG"), 0),
        (encode(SEVEN.convert("RGBA"), "PNG"), 0),
        (encode(Image.fromarray(LEVELS.astype(np.uint16) * 257), "PNG"), 0),
        (encode(on_transparent(7, ink=0), "PNG"), 0),
        (palette_with_a_transparent_paper(), 0),
        (rgb_with_a_transparent_paper(), 0),
        (encode(draw(7, paper=9), "PNG", transparency=9), 0),
        (encode(SEVEN, "BMP"), 0),
        (encode(SEVEN, "GIF", save_all=True, append_images=[draw(1)]), 0),
        (encode(SEVEN, "WEBP", lossless=True), 1),
        (encode(on_transparent(7, ink=0), "WEBP", lossless=True), 1),
        (encode(SEVEN.convert("CMYK"), "JPEG", quality=95), 24),
        (encode(SEVEN.convert("RGB"), "JPEG", quality=95, progressive=True), 24),
        (encode(SEVEN.convert("RGB"), "MPO", quality=95, save_all=True), 24),
    ],
)
def test_every_kind_of_file_gives_the_same_grey_levels(data: bytes, tolerance: int) -> None:
    grey = decode(data, MAX_PIXELS)
    assert (grey.factor, grey.width, grey.height) == (1, 280, 280)
    assert grey.pixels.dtype == np.uint8
    assert np.abs(grey.pixels.astype(int) - LEVELS).max() <= tolerance


@pytest.mark.parametrize("ink", [0, 60, 200, 255])
def test_ink_on_nothing_stays_visible(ink: int) -> None:
    pixels = read(on_transparent(7, ink))
    paper = int(pixels[0, 0])
    assert paper == (255 if ink < 128 else 0)
    assert np.array_equal(pixels == ink, LEVELS == 0)


def test_white_paper_with_round_corners_keeps_its_paper() -> None:
    image = SEVEN.convert("RGBA")
    for corner in ((0, 0), (279, 0), (0, 279), (279, 279)):
        image.putpixel(corner, (0, 0, 0, 0))
    assert np.array_equal(read(image), LEVELS)


def test_an_empty_transparent_canvas_is_blank_paper() -> None:
    assert (read(Image.new("RGBA", (30, 20))) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, file_format: str) -> None:
    upright = draw(7).crop((0, 0, 240, 280))
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(sideways(upright, orientation), file_format, exif=exif(orientation), **options)
    grey = decode(data, MAX_PIXELS)
    assert (grey.width, grey.height) == (240, 280)
    assert np.abs(grey.pixels.astype(int) - np.asarray(upright)).max() <= {"PNG": 0, "JPEG": 64, "WEBP": 1}[file_format]


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    data = encode(SEVEN, "PNG", exif=b"Exif\x00\x00 this is no TIFF header")
    assert np.array_equal(decode(data, MAX_PIXELS).pixels, LEVELS)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
@pytest.mark.parametrize(("width", "height", "factor"), [(1023, 10, 1), (1024, 3, 2), (4032, 3024, 4)])
def test_large_pictures_are_reduced_by_a_whole_number(file_format: str, width: int, height: int, factor: int) -> None:
    image = Image.linear_gradient("L").resize((width, height))
    grey = decode(encode(image, file_format), MAX_PIXELS)
    assert (grey.width, grey.height, grey.factor) == (width, height, factor)
    assert grey.pixels.shape == (-(-height // factor), -(-width // factor))
    expected = np.asarray(image.reduce(factor), int)
    assert np.abs(grey.pixels - expected).max() <= (0 if file_format == "PNG" else 40)


@pytest.mark.filterwarnings("error")
def test_a_bomb_is_refused_by_its_header() -> None:
    data = bomb()
    assert len(data) < 30_000
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="13000 x 13000"):
        decode(data, MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_file_cut_short_is_refused(file_format: str) -> None:
    noise = Image.effect_noise((64, 64), 80)
    data = encode(noise, file_format)
    with pytest.raises((UnreadableImageError, UnsupportedImageError)):
        decode(data[: len(data) * 2 // 3], MAX_PIXELS)


@pytest.mark.parametrize("data", [b"seven", b"%PDF-1.7", b"\x00" * 64, encode(SEVEN, "TIFF")])
def test_other_files_are_rejected(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="PNG, JPEG, WebP, BMP or GIF"):
        decode(data, MAX_PIXELS)


FILES = [encode(Image.effect_noise((9, 7), 80), name) for name in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]


@settings(deadline=None)
@given(st.sampled_from(FILES), st.integers(0, 2000), st.binary(max_size=8), st.booleans())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(file: bytes, at: int, junk: bytes, cut: bool) -> None:
    at %= len(file)
    data = file[:at] + junk + (b"" if cut else file[at + len(junk) :])
    try:
        grey = decode(data, 100_000)
    except RequestError:
        return
    assert isinstance(grey, GreyImage)
    assert grey.pixels.ndim == 2
