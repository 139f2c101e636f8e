"""A picture file, or raw grey bytes, to the grey levels that the model takes.

Two steps, because the first is quick and the second may not be: `open_image` reads the header and applies the limits,
`to_grey` decodes. Polarity, cropping and scaling are the model's own work and not done here.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# The WebP plugin registers itself when imported; without it, the first WebP would make Pillow import all its plugins.
from PIL import ExifTags, Image, JpegImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from serving.errors import BadRequestError, TooLargeError, UnreadableImageError, UnsupportedImageError

# The limit is `max_pixels`, held against the size in the header. Pillow's own limit would only warn from 89 megapixels,
# and above 178 it would raise an error that hides the size.
Image.MAX_IMAGE_PIXELS = None

# Named, so that a hostile file never reaches one of Pillow's forty other decoders.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
FORMATS_TEXT = "PNG, JPEG, WebP, BMP or GIF"

# Each scan of a JPEG goes over all of its pixels, and a scan that changes nothing takes a few bytes: without a limit, a
# small file could keep the decoder busy for minutes. Encoders write 1 to 20, and a phone may put three pictures in one.
MAX_SCANS = 100

# The marker that starts a scan, its length and its number of components, 1 to 4. The marker alone would turn up by
# chance in the video that some phones append; these five bytes do not, and the decoder takes no other start.
SCAN_STARTS = tuple(bytes((0xFF, 0xDA, 0, 6 + 2 * n_components, n_components)) for n_components in (1, 2, 3, 4))

# The model averages areas down to 20 pixels; nothing that it can see is lost by averaging down to this before.
# Not 1024: rows of 4 KiB of float32 fall on the same few lines of the cache, and the model takes four times as long.
LONGEST_SIDE_PX = 1023

# Modes whose levels may be averaged; palette indices and single bits may not.
AVERAGED_MODES = ("L", "LA", "RGB", "RGBA")

# What each EXIF orientation needs to stand upright.
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
    """Grey levels, upright, and where they come from.

    Attributes:
        pixels: uint8 [h, w], each the mean of `factor` x `factor` source pixels.
        factor: whole number >= 1; a position in `pixels` times `factor` is a position in the source.
        width: of the source in pixels, upright.
        height: of the source in pixels, upright.
    """

    pixels: npt.NDArray[np.uint8]
    factor: int
    width: int
    height: int


def open_image(data: bytes, max_pixels: int) -> Image.Image:
    """The picture in a file's bytes, its header read and its pixels not yet decoded.

    Raises:
        BadRequestError: there are no bytes.
        UnsupportedImageError: not one of `FORMATS`, whatever its name or type says.
        UnreadableImageError: the header is damaged, or a JPEG has more than `MAX_SCANS` scans.
        TooLargeError: more than `max_pixels`.
    """
    if not data:
        raise BadRequestError(f"There is no image: it has 0 bytes. Send a {FORMATS_TEXT} file.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise UnsupportedImageError(f"These {len(data)} bytes are not a picture. Send a {FORMATS_TEXT} file.") from None
    except Exception as error:  # a decoder fed with hostile bytes raises whatever it likes
        raise UnreadableImageError("The picture's header is damaged. Save it anew and send that.") from error
    _check_size(*image.size, max_pixels)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        _check_scans(data)
    return image


def open_raw(data: bytes, width: int, height: int, max_pixels: int) -> "Image.Image | GreyImage":
    """The picture in raw grey bytes, row by row from the top, one byte a pixel; as it is, unless it is to be reduced.

    Raises:
        BadRequestError: `data` is not exactly `width` x `height` bytes, or a side is below 1.
        TooLargeError: more than `max_pixels`.
    """
    if width < 1 or height < 1:
        raise BadRequestError(f"The picture is {width} x {height} pixels; each side must be at least 1.")
    _check_size(width, height, max_pixels)
    if len(data) != width * height:
        raise BadRequestError(
            f"The body has {len(data)} bytes; {width} x {height} pixels need {width * height}. Send one byte a pixel."
        )
    if max(width, height) <= LONGEST_SIDE_PX:
        return GreyImage(np.frombuffer(data, np.uint8).reshape(height, width), 1, width, height)
    return Image.frombuffer("L", (width, height), data)


def to_grey(image: Image.Image | GreyImage) -> GreyImage:
    """Decodes an opened picture: grey, on an opaque background, upright, its longest side at most 1023 pixels.

    Of an animation, the first frame. Colours become their luminance (ITU-R 601), 16 bits become 8.

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
    except Exception as error:  # as above: what a decoder raises on damaged pixels is not only OSError
        raise UnreadableImageError("The picture is damaged or cut short. Save it anew and send that.") from error
    if orientation in UPRIGHT:
        grey = grey.transpose(UPRIGHT[orientation])
    if orientation in SIDEWAYS:
        width, height = height, width
    return GreyImage(np.asarray(grey), factor, width, height)


def decode(data: bytes, max_pixels: int) -> GreyImage:
    """The grey levels in a file's bytes: `open_image`, then `to_grey`, with the errors of both."""
    return to_grey(open_image(data, max_pixels))


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise TooLargeError(
            f"The picture is {width} x {height} pixels; at most {max_pixels} pixels are read. Send a smaller one."
        )


def _check_scans(data: bytes) -> None:
    n_scans = sum(data.count(start) for start in SCAN_STARTS)
    if n_scans > MAX_SCANS:
        raise UnreadableImageError(
            f"The JPEG has {n_scans} scans; at most {MAX_SCANS} are read. Save it anew, not progressive, and send that."
        )


def _draft(image: Image.Image, factor: int) -> int:
    """Lets a JPEG decode its luminance alone, and reduced; returns by how much (a divisor of `factor`), else 1."""
    scale = next(scale for scale in (8, 4, 2, 1) if factor % scale == 0)
    width, height = image.size
    drafted = image.draft("L", (max(1, width // scale), max(1, height // scale)))
    return 1 if drafted is None else round(width / drafted[1][2])


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """The mean of each `factor` x `factor` pixels; before the conversion to grey, which saves 200 MB at the limit."""
    if factor == 1:
        return image
    is_averaged = image.mode in AVERAGED_MODES and "transparency" not in image.info
    return (image if is_averaged else _luminance(image)).reduce(factor)


def _luminance(image: Image.Image) -> Image.Image:
    """Mode L, or LA where some of the picture is transparent."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255 and not scale
        levels: npt.NDArray[Any] = np.asarray(image)
        return Image.fromarray((levels >> 8).astype(np.uint8))
    mode = "LA" if image.has_transparency_data else "L"
    return image if image.mode == mode else image.convert(mode)


def _on_background(image: Image.Image) -> Image.Image:
    """An LA picture on the background that leaves its ink visible.

    Ink alone goes on white when it is dark and on black when it is light: on its own colour it would vanish, and the
    model reads both polarities. A picture that is mostly opaque and has contrast of its own (a screenshot with round
    corners) brings its paper; there the background goes on with the paper, or the corners would look like ink.
    """
    luminance, alpha = image.getchannel("L"), image.getchannel("A")
    if alpha.getextrema() == (255, 255):  # as a browser's canvas is saved: a channel, and nothing transparent
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
    except Exception:  # a broken EXIF block says nothing, and must not cost the picture
        return 1
