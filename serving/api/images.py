"""Convert a picture file or raw grey bytes to the grey levels that the model needs.

`open_image` reads the header and applies the limits, which is fast. `to_grey` decodes, which may be slow. The model
itself handles polarity, cropping and scaling.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# The imported WebP plugin registers itself. Without it, the first WebP would make Pillow import all plugins.
from PIL import ExifTags, Image, JpegImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from serving.errors import BadRequestError, TooLargeError, UnreadableImageError, UnsupportedImageError

# `max_pixels` limits the size in the header. Pillow's own limit only warns from 89 megapixels, and above 178 its error
# hides the size.
Image.MAX_IMAGE_PIXELS = None

# An explicit list, so that a hostile file never reaches Pillow's other decoders.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
FORMATS_TEXT = "PNG, JPEG, WebP, BMP or GIF"

# Each scan of a JPEG visits all pixels but may have only a few bytes, so a small file could keep the decoder busy for
# minutes. Encoders write 1 to 20 scans, and a phone may put three pictures in one file.
MAX_SCANS = 100

# The start of a scan: marker, length, and number of components (1 to 4). The marker without the rest occurs by chance
# in the videos that some phones append.
SCAN_STARTS = tuple(bytes((0xFF, 0xDA, 0, 6 + 2 * n_components, n_components)) for n_components in (1, 2, 3, 4))

# The model averages down to 20 pixels, so averaging to this size first loses nothing. With 1024, rows of 4 KiB would
# share a few cache lines, and the model would take four times as long.
LONGEST_SIDE_PX = 1023

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
SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True)
class GreyImage:
    """Upright grey levels, and the size of their source.

    Attributes:
        pixels: uint8 [h, w], each the mean of `factor` x `factor` source pixels.
        factor: whole number >= 1; a position in `pixels` times `factor` is a position in the source.
        width: width of the upright source in pixels.
        height: height of the upright source in pixels.
    """

    pixels: npt.NDArray[np.uint8]
    factor: int
    width: int
    height: int


def open_image(data: bytes, max_pixels: int) -> Image.Image:
    """Open a picture file and read its header.

    Raises:
        BadRequestError: there are no bytes.
        UnsupportedImageError: the file has none of the `FORMATS`.
        UnreadableImageError: the header is damaged, or a JPEG has more than `MAX_SCANS` scans.
        TooLargeError: the picture has more than `max_pixels`.
    """
    if not data:
        raise BadRequestError(f"There is no image: it has 0 bytes. Send a {FORMATS_TEXT} file.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise UnsupportedImageError(f"These {len(data)} bytes are not a picture. Send a {FORMATS_TEXT} file.") from None
    except Exception as error:  # hostile bytes may cause any exception in a decoder
        raise UnreadableImageError("The picture's header is damaged. Save it again and send that.") from error
    _check_size(*image.size, max_pixels)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        _check_scans(data)
    return image


def open_raw(data: bytes, width: int, height: int, max_pixels: int) -> "Image.Image | GreyImage":
    """Open raw grey bytes, row by row from the top, one byte per pixel. A small picture needs no further decoding.

    Raises:
        BadRequestError: `data` is not exactly `width` x `height` bytes, or a side is below 1.
        TooLargeError: the picture has more than `max_pixels`.
    """
    if width < 1 or height < 1:
        raise BadRequestError(f"The picture is {width} x {height} pixels; each side must be at least 1.")
    _check_size(width, height, max_pixels)
    if len(data) != width * height:
        raise BadRequestError(
            f"The body has {len(data)} bytes; {width} x {height} pixels need {width * height}. Send one byte per pixel."
        )
    if max(width, height) <= LONGEST_SIDE_PX:
        return GreyImage(np.frombuffer(data, np.uint8).reshape(height, width), 1, width, height)
    return Image.frombuffer("L", (width, height), data)


def to_grey(image: Image.Image | GreyImage) -> GreyImage:
    """Decode an opened picture to grey, opaque and upright, with at most 1023 pixels on its longest side.

    Use the first frame of an animation. Convert colours to luminance (ITU-R 601), and 16 bits to 8.

    Raises:
        UnreadableImageError: the pixels are damaged or cut short.
    """
    if isinstance(image, GreyImage):
        return image
    width, height = image.size
    factor = -(-max(width, height) // LONGEST_SIDE_PX)
    try:
        drafted = _draft(image, factor)
        image.load()
        grey = _luminance(_reduce(image, factor // drafted))
        if grey.mode == "LA":
            grey = _on_background(grey)
        orientation = _orientation(image)
    except Exception as error:  # damaged pixels may cause any exception
        raise UnreadableImageError("The picture is damaged or cut short. Save it again and send that.") from error
    if orientation in UPRIGHT:
        grey = grey.transpose(UPRIGHT[orientation])
    if orientation in SIDEWAYS:
        width, height = height, width
    return GreyImage(np.asarray(grey), factor, width, height)


def decode(data: bytes, max_pixels: int) -> GreyImage:
    """Open and decode a picture file."""
    return to_grey(open_image(data, max_pixels))


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise TooLargeError(
            f"The picture is {width} x {height} pixels; the limit is {max_pixels} pixels. Send a smaller one."
        )


def _check_scans(data: bytes) -> None:
    n_scans = sum(data.count(start) for start in SCAN_STARTS)
    if n_scans > MAX_SCANS:
        raise UnreadableImageError(
            f"The JPEG has {n_scans} scans; the limit is {MAX_SCANS}. Save it again as a non-progressive JPEG."
        )


def _draft(image: Image.Image, factor: int) -> int:
    """Make a JPEG decode only its luminance, at a reduced size. Return the reduction, a divisor of `factor`."""
    scale = next(scale for scale in (8, 4, 2, 1) if factor % scale == 0)
    width, height = image.size
    drafted = image.draft("L", (max(1, width // scale), max(1, height // scale)))
    return 1 if drafted is None else round(width / drafted[1][2])


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """Average `factor` x `factor` pixels. Doing this before the conversion to grey saves 200 MB at the pixel limit."""
    if factor == 1:
        return image
    is_averaged = image.mode in AVERAGED_MODES and "transparency" not in image.info
    return (image if is_averaged else _luminance(image)).reduce(factor)


def _luminance(image: Image.Image) -> Image.Image:
    """Convert to mode L, or LA if the picture has transparency."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow would clip it at 255
        levels: npt.NDArray[Any] = np.asarray(image)
        return Image.fromarray((levels >> 8).astype(np.uint8))
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


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # ignore a damaged EXIF block
        return 1
