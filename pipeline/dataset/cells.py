"""Draw the test drawings with two line widths and two sizes, centred and at random positions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.sources.unipen import Drawing
from serving.drawing.sheet import SIDE_PX, lay_out
from serving.drawing.strokes import place

BATCH = 250  # canvases
SEED = 1  # for the random positions


@dataclass(frozen=True)
class Cell:
    """One way to draw all test drawings.

    Attributes:
        line: line width, relative to the longest side of the drawing.
        size: longest side of the drawing, relative to the canvas.
        is_centred: whether drawings are in the middle of the canvas, or at random positions.
    """

    line: float
    size: float
    is_centred: bool

    @property
    def name(self) -> str:
        """Name with percentages, such as "line_12_size_60_centred"."""
        return f"line_{self.line * 100:.0f}_size_{self.size * 100:.0f}_{'centred' if self.is_centred else 'anywhere'}"


CELLS = tuple(Cell(*values) for values in product((0.12, 0.07), (0.6, 0.3), (True, False)))
REFERENCE = CELLS[0].name  # the cell to use if each drawing should count once


def draw_cell(drawings: Sequence[Drawing], cell: Cell) -> Iterator[np.ndarray]:
    """Yield batches of canvases as the service draws them, uint8 ``[n, side, side]``, at most `BATCH` at a time."""
    rng = np.random.default_rng(SEED)
    for start in range(0, len(drawings), BATCH):
        canvases = []
        for drawing in drawings[start : start + BATCH]:
            x, y = (0.5, 0.5) if cell.is_centred else rng.random(2).tolist()
            pen = cell.line * cell.size
            placed = place(drawing.strokes, (SIDE_PX, SIDE_PX), cell.size, (x, y), pen * SIDE_PX)
            canvases.append(lay_out([stroke / SIDE_PX for stroke in placed], pen).draw())
        yield np.stack(canvases)
