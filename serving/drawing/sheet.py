"""Draw strokes on the sheet, as the service reads them.

The sheet is 0 to 1, x right and y down. A browser can repeat the picture to the byte; see `serving.drawing.rasterize`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.drawing.rasterize import count_pixels, rasterize
from serving.drawing.strokes import Strokes, bounds

SIDE_PX = 112
# Paper around the sheet in the picture, at least 1/16 of its side. Without it, the model would take a stroke along the
# sheet's edge for a line on the page.
MARGIN_PX = 8
PICTURE_PX = SIDE_PX + 2 * MARGIN_PX

# Width of the pen, relative to the sheet. Small ink has a finer pen, relative to its longest side, to stay legible.
PEN = 0.06
PEN_OF_INK = 0.12

# Ink is enlarged to at least this share of the sheet, because few pixels would blur it. Ink below the second share is
# enlarged only as much as ink of that share, so that a dot stays a dot.
LEAST_INK = 0.3
LEAST_ENLARGED = 0.04


@dataclass(frozen=True)
class Sheet:
    """Strokes in pixels, as they are drawn.

    Attributes:
        strokes: float64, on the square of `SIDE_PX` that shows the sheet.
        line_width: pixels.
        zoom: 1, or more for small ink. Then the square shows only a part of the sheet.
        origin: x and y of the sheet's corner, pixels from the square's.
    """

    strokes: Strokes
    line_width: float
    zoom: float
    origin: tuple[float, float]

    @property
    def n_pixels(self) -> float:
        """Return a bound of the pixels to compute."""
        return count_pixels(self.strokes, self.line_width)

    def draw(self) -> npt.NDArray[np.uint8]:
        """Return the picture, uint8 [PICTURE_PX, PICTURE_PX], 255 = ink."""
        return np.pad(rasterize(self.strokes, (SIDE_PX, SIDE_PX), self.line_width), MARGIN_PX)


def lay_out(strokes: Strokes, pen: float | None = None) -> Sheet:
    """Choose the pen, and enlarge small ink. Its place in the free space stays, and so does what the sheet cuts off.

    Args:
        strokes: on the sheet.
        pen: width of the line, relative to the sheet; by default as the size of the ink requires.
    """
    low, high = (np.clip(corner.astype(np.float64), 0.0, 1.0) for corner in bounds(strokes))
    extent = high - low
    size = max(float(extent.max()), LEAST_ENLARGED)
    zoom = max(LEAST_INK / size, 1.0)
    pen = min(PEN_OF_INK * size, PEN) if pen is None else pen
    # The point that stays where it is has the same place in the sheet as the ink has in the free space.
    origin = low / np.maximum(1.0 - extent, 1e-9) * (1.0 - zoom) * SIDE_PX
    scale = zoom * SIDE_PX
    x, y = origin.tolist()
    return Sheet([stroke * scale + origin for stroke in strokes], pen * scale, zoom, (x, y))
