"""How well pen strokes are read: drawings of writers who appear nowhere else, at several sizes, lines and places."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.reader import Reader, read_all
from pipeline.strokes import draw
from pipeline.unipen import Drawing

CANVAS = (280, 280)  # pixels, as the page sends it
BATCH = 250  # canvases
SEED = 1  # of the places off the centre


@dataclass(frozen=True)
class Cell:
    """One way to draw them all.

    Attributes:
        line: width of the line, relative to the drawing's longest side.
        size: longest side of the drawing, relative to the canvas.
        is_centred: in the middle of the canvas, or anywhere on it.
    """

    line: float
    size: float
    is_centred: bool

    @property
    def name(self) -> str:
        """Such as "line_12_size_60_centred"; percentages."""
        return f"line_{self.line * 100:.0f}_size_{self.size * 100:.0f}_{'centred' if self.is_centred else 'anywhere'}"


CELLS = tuple(Cell(*values) for values in product((0.12, 0.07), (0.6, 0.3), (True, False)))


def read_drawings(reader: Reader, drawings: Sequence[Drawing], cell: Cell) -> dict[str, np.ndarray]:
    """Answers to all drawings in one cell, as `Reader.read` names them."""
    rng = np.random.default_rng(SEED)
    answers = []
    for start in range(0, len(drawings), BATCH):
        canvases = []
        for drawing in drawings[start : start + BATCH]:
            x, y = (0.5, 0.5) if cell.is_centred else rng.random(2).tolist()
            canvases.append(draw(drawing.strokes, CANVAS, cell.size, cell.line, (x, y)))
        answers.append(read_all(reader, np.stack(canvases), BATCH))
    return {name: np.concatenate([batch[name] for batch in answers]) for name in answers[0]}
