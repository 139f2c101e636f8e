"""Drawn digits, and files of them."""

import io
from typing import Any

from PIL import Image, ImageDraw

from serving.api.images import GreyImage, open_image, to_grey

SIDE_PX = 280
PEN_PX = 24

# Polylines in pixels of a 280 x 280 canvas.
STROKES = {
    0: [
        (140, 50), (100, 70), (80, 115), (80, 165), (100, 210), (140, 230), (180, 210),
        (200, 165), (200, 115), (180, 70),
    ],
    1: [(140, 40), (140, 240)],
    7: [(70, 60), (210, 60), (120, 240)],
}  # fmt: skip
CLOSED = (0,)

# The 7 on the canvas of 0 to 1, as JSON, and one whose lines are too long for the event loop.
SEVEN = {"strokes": [[[x / SIDE_PX, y / SIDE_PX] for x, y in STROKES[7]]]}
LONG = {"strokes": [[[0, 0], [1, 1]] * 100]}


def draw(digit: int, ink: int = 0, paper: int = 255) -> Image.Image:
    image = Image.new("L", (SIDE_PX, SIDE_PX), paper)
    pen = ImageDraw.Draw(image)
    points = STROKES[digit] + (STROKES[digit][:1] if digit in CLOSED else [])
    pen.line(points, fill=ink, width=PEN_PX, joint="curve")
    for x, y in points:
        pen.ellipse((x - PEN_PX // 2, y - PEN_PX // 2, x + PEN_PX // 2, y + PEN_PX // 2), fill=ink)
    return image


def on_transparent(digit: int, ink: int) -> Image.Image:
    """Return a digit on a transparent canvas; the hidden colour is black, as in browsers."""
    alpha = draw(digit, ink=255, paper=0)
    grey = Image.new("L", alpha.size, 0)
    grey.paste(ink, mask=alpha.point(lambda level: 255 if level else 0))
    return Image.merge("RGBA", (grey, grey, grey, alpha))


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    """Return an EXIF block with only an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def sideways(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as a camera stores it that was held that way."""
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return image.copy() if turn is None else image.transpose(turn)


def bomb() -> bytes:
    """Return a PNG of 20 kB with 169 megapixels."""
    return encode(Image.new("1", (13_000, 13_000)), "PNG")


def decode(data: bytes, max_pixels: int) -> GreyImage:
    """Open and decode a picture file."""
    return to_grey(open_image(data, max_pixels))
