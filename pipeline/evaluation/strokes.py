"""How well pen strokes are read: drawings of writers who appear nowhere else, at several sizes, lines and places."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.base.arrays import join_batches
from pipeline.base.classes import N_CLASSES
from pipeline.dataset.cells import BATCH, CELLS, Cell, draw_cell
from pipeline.evaluation.metrics import Answered, measure
from pipeline.reader.model import Reader, read_all
from pipeline.sources.unipen import Drawing


def read_cells(reader: Reader, drawings: Sequence[Drawing]) -> dict[str, Answered]:
    """All drawings as they are answered in each cell; nothing where there are none."""
    labels = np.array([drawing.label for drawing in drawings], np.int32)
    writers = np.array([drawing.writer for drawing in drawings], np.int32)
    cells = CELLS if drawings else ()
    return {cell.name: Answered(labels, read_drawings(reader, drawings, cell), writers) for cell in cells}


def read_drawings(reader: Reader, drawings: Sequence[Drawing], cell: Cell) -> dict[str, np.ndarray]:
    """Answers to all drawings in one cell, as `Reader.read` names them."""
    return join_batches([read_all(reader, canvases, BATCH) for canvases in draw_cell(drawings, cell)])


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
    probabilities = [np.zeros((0, N_CLASSES), np.float32), *(cell.answers["probabilities"] for cell in cells.values())]
    return Answered(np.concatenate(labels), {"probabilities": np.concatenate(probabilities)})
