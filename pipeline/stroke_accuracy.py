"""How well pen strokes are read: drawings of writers who appear nowhere else, at several sizes, lines and places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.metrics import Answered, measure
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
REFERENCE = CELLS[0].name  # stands for all where each drawing should count once


def read_cells(reader: Reader, drawings: Sequence[Drawing]) -> dict[str, Answered]:
    """All drawings as they are answered in each cell; nothing where there are none."""
    labels = np.array([drawing.label for drawing in drawings], np.int32)
    writers = np.array([drawing.writer for drawing in drawings], np.int32)
    cells = CELLS if drawings else ()
    return {cell.name: Answered(labels, read_drawings(reader, drawings, cell), writers) for cell in cells}


def read_drawings(reader: Reader, drawings: Sequence[Drawing], cell: Cell) -> dict[str, np.ndarray]:
    """Answers to all drawings in one cell, as `Reader.read` names them."""
    answers = [read_all(reader, canvases, BATCH) for canvases in draw_cell(drawings, cell)]
    return {name: np.concatenate([batch[name] for batch in answers]) for name in answers[0]}


def draw_cell(drawings: Sequence[Drawing], cell: Cell) -> Iterator[np.ndarray]:
    """All drawings as one cell has them, uint8 ``[n, 280, 280]``, 255 = ink, at most `BATCH` at a time."""
    rng = np.random.default_rng(SEED)
    for start in range(0, len(drawings), BATCH):
        canvases = []
        for drawing in drawings[start : start + BATCH]:
            x, y = (0.5, 0.5) if cell.is_centred else rng.random(2).tolist()
            canvases.append(draw(drawing.strokes, CANVAS, cell.size, cell.line, (x, y)))
        yield np.stack(canvases)


def measure_cells(cells: Mapping[str, Answered], thresholds: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Figures of each cell, as `measure` names them after "strokes"."""
    return {name: measure("strokes", cell, thresholds) for name, cell in cells.items()}


def average(cells: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means of what `measure_cells` found, and the accuracy in the worst cell; nothing where there are no cells."""
    if not cells:
        return {}
    names = ("accuracy", "ece", "refused", "unsure", "selective_accuracy")
    means = {f"strokes_{name}": np.mean([cell[f"strokes_{name}"] for cell in cells.values()]) for name in names}
    return {name: round(float(mean), 6) for name, mean in means.items()} | {
        "strokes_worst_accuracy": min(cell["strokes_accuracy"] for cell in cells.values())
    }


def pool(cells: Mapping[str, Answered]) -> Answered:
    """Labels and probabilities of all cells together; empty where there are none."""
    labels = [np.zeros(0, np.int32), *(cell.labels for cell in cells.values())]
    probabilities = [np.zeros((0, 10), np.float32), *(cell.answers["probabilities"] for cell in cells.values())]
    return Answered(np.concatenate(labels), {"probabilities": np.concatenate(probabilities)})
