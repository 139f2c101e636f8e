"""Check pen strokes in JSON, and draw them as the model's picture."""

import numpy as np

from serving.api.images import GreyImage
from serving.api.messages import Drawing, NumberDrawing
from serving.drawing.sheet import MARGIN_PX, SIDE_PX, Sheet, lay_out
from serving.errors import TooLargeError

MAX_POINTS = 20_000

EXAMPLE = {"strokes": [[[0.2, 0.2], [0.8, 0.2], [0.4, 0.9]]]}


def check_length(drawing: Drawing | NumberDrawing) -> None:
    """Raise `TooLargeError` if a drawing has too many points."""
    n_points = sum(map(len, drawing.strokes))
    if n_points > MAX_POINTS:
        raise TooLargeError(f"The drawing has {n_points} points; the limit is {MAX_POINTS}.")


def open_drawing(drawing: Drawing) -> Sheet:
    """Check a drawing against the limits. `draw` draws it."""
    check_length(drawing)
    return lay_out([np.array(stroke, np.float64) for stroke in drawing.strokes])


def draw(sheet: Sheet) -> GreyImage:
    """Draw strokes. Positions in the picture lead back to the sheet, as if it had `SIDE_PX` x `SIDE_PX` pixels."""
    x, y = sheet.origin
    return GreyImage(sheet.draw(), 1 / sheet.zoom, SIDE_PX, SIDE_PX, (x + MARGIN_PX, y + MARGIN_PX))
