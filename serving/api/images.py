"""Convert a picture file or raw grey bytes to the grey levels that the model needs.

`open_image` checks the file against the limits, which is fast. `to_grey` decodes it, which may be slow. The model
itself handles polarity, cropping and scaling.
"""

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# The imported WebP plugin registers itself. Without it, the first WebP would make Pillow import all plugins.
from PIL import Image, WebPImagePlugin  # noqa: F401

from serving.api.containers import DAMAGED_TEXT, FORMATS_TEXT, Picture, walk
from serving.errors import BadRequestError, TooLargeError, UnreadableImageError

# The limits are checked before Pillow opens a file; its own limit only warns from 89 megapixels.
Image.MAX_IMAGE_PIXELS = None

# Pillow keeps a pointer of 8 bytes for each row, so a column of 50 million pixels would take 1 GB.
MAX_SIDE_PX = 65_535

# The model averages down to 20 pixels, so averaging to this size first loses nothing. With 1024, rows of 4 KiB would
# share a few cache lines, and the model would take four times as long.
LONGEST_SIDE_PX = 1023

# Pixels that are converted at a time.
STRIP_PIXELS = 2**20

# Modes whose levels can be averaged, unlike palette indices and single bits.
AVERAGED_MODES = ("L", "LA", "RGB", "RGBA")

# The operation that makes each EXIF orientation upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

ORIENTATION_TAG = 0x0112
MAX_EXIF_ENTRIES = 1_000


@dataclass(frozen=True)
class GreyImage:
    """Upright grey levels, and the size of their source.

    Attributes:
        pixels: uint8 [h, w], each the mean of `factor` x `factor` source pixels, or drawn.
        factor: size of a pixel in the source; a whole number for a picture.
        width: width of the upright source in pixels.
        height: height of the upright source in pixels.
        origin: x and y of the source's corner in `pixels`.
    """

    pixels: npt.NDArray[np.uint8]
    factor: float
    width: int
    height: int
    origin: tuple[float, float] = (0.0, 0.0)


def open_image(data: bytes, max_pixels: int) -> Picture:
    """Check a picture file against the limits."""
    if not data:
        raise BadRequestError(f"There is no image: it has 0 bytes. Send a {FORMATS_TEXT} file.")
    picture = walk(data)
    _check_size(picture.width, picture.height, max_pixels)
    return picture


def open_raw(data: bytes, width: int, height: int, max_pixels: int) -> GreyImage:
    """Open raw grey bytes, row by row from the top, one byte per pixel."""
    _check_size(width, height, max_pixels)
    if len(data) != width * height:
        raise BadRequestError(
            f"The body has {len(data)} bytes; {width} x {height} pixels need {width * height}. Send one byte per pixel."
        )
    factor = _factor(width, height)
    pixels = np.frombuffer(data, np.uint8).reshape(height, width)
    if factor > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
    return GreyImage(pixels, factor, width, height)


def to_grey(picture: Picture) -> GreyImage:
    """Decode a picture to grey, opaque and upright, with at most 1023 pixels on its longest side.

    Use the first frame of an animation. Convert colours to luminance (ITU-R 601), and 16 bits to 8.
    """
    width, height = picture.width, picture.height
    factor = _factor(width, height)
    try:
        image = Image.open(io.BytesIO(b"".join(picture.pieces)), formats=[picture.format])
        if image.size != (width, height):
            raise ValueError(image.size)
        drafted = _draft(image, factor)
        image.load()
        grey = _reduced(image, factor // drafted, _scale(image) if picture.is_deep else 1)
        if grey.mode == "LA":
            grey = _on_background(grey)
    except Exception as error:  # hostile bytes may cause any exception in a decoder
        raise UnreadableImageError(DAMAGED_TEXT) from error
    orientation = _orientation(picture.exif)
    if orientation in UPRIGHT:
        grey = grey.transpose(UPRIGHT[orientation])
    if orientation > 4:  # sideways
        width, height = height, width
    return GreyImage(np.asarray(grey), factor, width, height)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels or max(width, height) > MAX_SIDE_PX:
        limit = f"{max_pixels} pixels and {MAX_SIDE_PX} a side"
        raise TooLargeError(f"The picture is {width} x {height} pixels; the limit is {limit}. Send a smaller one.")


def _factor(width: int, height: int) -> int:
    return -(-max(width, height) // LONGEST_SIDE_PX)


def _draft(image: Image.Image, factor: int) -> int:
    """Make a JPEG decode only its luminance, at a reduced size. Return the reduction, a divisor of `factor`."""
    scale = next(scale for scale in (8, 4, 2, 1) if factor % scale == 0)
    width, height = image.size
    drafted = image.draft("L", (max(1, width // scale), max(1, height // scale)))
    return 1 if drafted is None else round(width / drafted[1][2])


def _reduced(image: Image.Image, factor: int, scale: int) -> Image.Image:
    """Convert to mode L or LA, and average `factor` x `factor` pixels. `scale` brightens 16-bit levels.

    Converting strips instead of the whole picture saves 400 MB at the pixel limit.
    """
    width, height = image.size
    n_rows = factor * max(1, STRIP_PIXELS // (factor * width))
    if n_rows >= height:
        return _converted(image, factor, scale)
    boxes = [(0, top, width, min(top + n_rows, height)) for top in range(0, height, n_rows)]
    return Image.fromarray(np.concatenate([np.asarray(_converted(image.crop(box), factor, scale)) for box in boxes]))


def _converted(image: Image.Image, factor: int, scale: int) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow would clip it at 255
        levels: npt.NDArray[Any] = np.asarray(image, np.uint32) * scale >> 8
        image = Image.fromarray(levels.astype(np.uint8))
    elif scale > 1:
        brighter = [min(255, level * scale) for level in range(256)]
        image = image.point(brighter * 3 + [*range(256)] * (len(image.getbands()) - 3))
    if factor > 1:
        is_averaged = image.mode in AVERAGED_MODES and "transparency" not in image.info
        image = (image if is_averaged else _luminance(image)).reduce(factor)
    return _luminance(image)


def _scale(image: Image.Image) -> int:
    """Return the factor that makes a 16-bit picture as bright as one of 8 bits.

    Cameras store 10, 12 or 14 bits in such files. Pillow keeps 16 bits of grey, and the upper 8 bits of colours.
    """
    ranges: Any = image.getextrema()
    if image.mode.startswith("I"):
        return 1 << 16 - max(10, int(ranges[1]).bit_length())
    highest = max(int(high) for _, high in ranges[:3])
    return 255 // ((1 << max(2, highest.bit_length())) - 1)


def _luminance(image: Image.Image) -> Image.Image:
    mode = "LA" if image.has_transparency_data else "L"
    return image if image.mode == mode else image.convert(mode)


def _on_background(image: Image.Image) -> Image.Image:
    """Put an LA picture on a background that keeps its ink visible.

    Dark ink gets a white background, and light ink a black one; the model reads both. A mostly opaque picture with
    contrast, such as a screenshot with round corners, already shows its paper. Its background must match the paper, or
    the corners would look like ink.
    """
    luminance, alpha = image.getchannel("L"), image.getchannel("A")
    if alpha.getextrema() == (255, 255):  # opaque, as a browser saves a canvas
        return luminance
    levels, weights = np.asarray(luminance, np.float32), np.asarray(alpha, np.float32)
    if not weights.any():
        return Image.new("L", image.size, 255)
    mean = float(np.average(levels, weights=weights))
    spread = float(np.average((levels - mean) ** 2, weights=weights)) ** 0.5
    is_paper = weights.mean() > 127 and spread > 32
    background = Image.new("L", image.size, 255 if (mean < 128) != is_paper else 0)
    background.paste(luminance, mask=alpha)
    return background


def _orientation(exif: bytes | memoryview) -> int:
    """Return the orientation in an Exif block, 1 if there is none. Pillow would read gigabytes from a hostile block."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(exif[:4]))
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        (n_entries,) = struct.unpack_from(order + "H", exif, first)
        entries = exif[first + 2 : first + 2 + 12 * min(n_entries, MAX_EXIF_ENTRIES)]
        found = (value for tag, value in struct.iter_unpack(order + "H6xH2x", entries) if tag == ORIENTATION_TAG)
        return next(found, 1)
    except struct.error:  # ignore a damaged block
        return 1
