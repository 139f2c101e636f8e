"""Every kind of picture yields the same grey levels; other files are rejected."""

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.api.images import GreyImage, decode, open_raw, to_grey
from serving.errors import BadRequestError, RequestError, TooLargeError, UnreadableImageError, UnsupportedImageError
from tests.serving.drawings import bomb, draw, encode, exif, on_transparent, sideways

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
        pytest.param(encode(SEVEN, "PNG"), 0, id="png grey"),
        pytest.param(encode(SEVEN.convert("RGB"), "PNG"), 0, id="png rgb"),
        pytest.param(encode(SEVEN.convert("1"), "PNG"), 0, id="png 1-bit"),
        pytest.param(encode(SEVEN.convert("P"), "PNG"), 0, id="png palette"),
        pytest.param(encode(SEVEN.convert("LA"), "PNG"), 0, id="png LA opaque"),
        pytest.param(encode(SEVEN.convert("RGBA"), "PNG"), 0, id="png RGBA opaque"),
        pytest.param(encode(Image.fromarray(LEVELS.astype(np.uint16) * 257), "PNG"), 0, id="png 16-bit"),
        pytest.param(encode(on_transparent(7, ink=0), "PNG"), 0, id="png transparent"),
        pytest.param(encode(on_transparent(7, ink=0).convert("LA"), "PNG"), 0, id="png LA transparent"),
        pytest.param(palette_with_a_transparent_paper(), 0, id="png palette transparent"),
        pytest.param(rgb_with_a_transparent_paper(), 0, id="png rgb transparent"),
        pytest.param(encode(draw(7, paper=9), "PNG", transparency=9), 0, id="png grey transparent"),
        pytest.param(encode(SEVEN, "BMP"), 0, id="bmp"),
        pytest.param(encode(SEVEN.convert("1"), "BMP"), 0, id="bmp 1-bit"),
        pytest.param(encode(SEVEN, "GIF"), 0, id="gif"),
        pytest.param(encode(SEVEN, "GIF", save_all=True, append_images=[draw(1)]), 0, id="gif animated"),
        pytest.param(encode(SEVEN, "WEBP", lossless=True), 1, id="webp lossless"),
        pytest.param(encode(on_transparent(7, ink=0), "WEBP", lossless=True), 1, id="webp transparent"),
        pytest.param(encode(SEVEN, "JPEG", quality=95), 24, id="jpeg grey"),
        pytest.param(encode(SEVEN.convert("RGB"), "JPEG", quality=95), 24, id="jpeg"),
        pytest.param(encode(SEVEN.convert("CMYK"), "JPEG", quality=95), 24, id="jpeg cmyk"),
        pytest.param(encode(SEVEN.convert("RGB"), "JPEG", quality=95, progressive=True), 24, id="jpeg progressive"),
        pytest.param(encode(SEVEN.convert("RGB"), "MPO", quality=95, save_all=True), 24, id="mpo"),
    ],
)
def test_every_kind_of_file_gives_the_same_grey_levels(data: bytes, tolerance: int) -> None:
    grey = decode(data, MAX_PIXELS)
    assert (grey.factor, grey.width, grey.height) == (1, 280, 280)
    assert grey.pixels.dtype == np.uint8
    assert np.abs(grey.pixels.astype(int) - LEVELS).max() <= tolerance


def test_raw_bytes_are_taken_as_they_are() -> None:
    grey = to_grey(open_raw(LEVELS.tobytes(), 280, 280, MAX_PIXELS))
    assert np.array_equal(grey.pixels, LEVELS)
    assert to_grey(open_raw(bytes(range(6)), 3, 2, MAX_PIXELS)).pixels.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(("n_bytes", "width", "height"), [(5, 3, 2), (7, 3, 2), (0, 3, 2), (6, 0, 2), (6, -3, -2)])
def test_raw_bytes_must_fit(n_bytes: int, width: int, height: int) -> None:
    with pytest.raises(BadRequestError, match=str(width)):
        open_raw(bytes(n_bytes), width, height, MAX_PIXELS)


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
@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_exif_orientation_is_applied(orientation: int, file_format: str) -> None:
    upright = draw(7).crop((0, 0, 240, 280))
    data = encode(sideways(upright, orientation), file_format, exif=exif(orientation))
    grey = decode(data, MAX_PIXELS)
    assert (grey.width, grey.height) == (240, 280)
    assert np.abs(grey.pixels.astype(int) - np.asarray(upright)).max() <= (0 if file_format == "PNG" else 64)


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    data = encode(SEVEN, "PNG", exif=b"Exif\x00\x00 this is no TIFF header")
    assert np.array_equal(decode(data, MAX_PIXELS).pixels, LEVELS)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
@pytest.mark.parametrize(("width", "height", "factor"), [(1023, 10, 1), (1024, 3, 2), (3000, 2000, 3), (4032, 3024, 4)])
def test_large_pictures_are_reduced_by_a_whole_number(file_format: str, width: int, height: int, factor: int) -> None:
    image = Image.linear_gradient("L").resize((width, height))
    grey = decode(encode(image, file_format), MAX_PIXELS)
    assert (grey.width, grey.height, grey.factor) == (width, height, factor)
    assert grey.pixels.shape == (-(-height // factor), -(-width // factor))
    expected = np.asarray(image.reduce(factor), int)
    assert np.abs(grey.pixels - expected).max() <= (0 if file_format == "PNG" else 40)


def test_a_large_transparent_picture_is_reduced_too() -> None:
    grey = decode(encode(on_transparent(7, ink=255).resize((2800, 2800)), "PNG"), MAX_PIXELS)
    assert grey.factor == 3
    assert grey.pixels[0, 0] == 0
    assert grey.pixels.max() == 255


@pytest.mark.filterwarnings("error")
def test_a_bomb_is_refused_by_its_header() -> None:
    data = bomb()
    assert len(data) < 30_000
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="13000 x 13000"):
        decode(data, MAX_PIXELS)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def with_scans(n_scans: int, trailer: bytes = b"") -> bytes:
    """A progressive JPEG whose last scan is repeated until there are `n_scans`."""
    data = encode(SEVEN, "JPEG", progressive=True)
    head, *scans = data.removesuffix(b"\xff\xd9").split(b"\xff\xda")
    scans += scans[-1:] * (n_scans - len(scans))
    return head + b"".join(b"\xff\xda" + scan for scan in scans) + b"\xff\xd9" + trailer


def test_a_jpeg_with_more_scans_than_encoders_write_is_refused() -> None:
    assert decode(with_scans(100), MAX_PIXELS).width == SEVEN.width
    with pytest.raises(UnreadableImageError, match="10000 scans; at most 100 "):
        decode(with_scans(10_000), MAX_PIXELS)


def test_a_video_after_the_jpeg_has_no_scans() -> None:
    video = b"\xff\xda\x12\x34" * 1_000
    assert decode(with_scans(10, video), MAX_PIXELS).width == SEVEN.width


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
