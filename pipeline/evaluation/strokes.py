"""Metrics on pen strokes: drawings of held-out writers in several sizes, line widths and positions."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.base.arrays import join_batches
from pipeline.base.files import read_arrays
from pipeline.base.paths import PREPARED
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.evaluation.metrics import Answered, measure
from pipeline.reader.model import Reader, read_all
from pipeline.sources.unipen import Drawing, unpack


def load_test_drawings() -> list[Drawing]:
    """Load the drawings of the held-out writers. The list is empty without Pendigits.

    Raises:
        DataError: the prepared data is missing or damaged.
    """
    return unpack(read_arrays(PREPARED / "test_drawings.npz", made_by="prepare"))


def read_cells(reader: Reader, drawings: Sequence[Drawing]) -> dict[str, Answered]:
    """Read all drawings in each cell. Return the answers by name of the cell, empty without drawings."""
    labels = np.array([drawing.label for drawing in drawings], np.int32)
    writers = np.array([drawing.writer for drawing in drawings], np.int32)
    cells = CELLS if drawings else ()
    answered = {}
    for cell in cells:
        answers = join_batches([read_all(reader, canvases) for canvases in draw_cell(drawings, cell)])
        answered[cell.name] = Answered(labels, answers, writers)
    return answered


def measure_cells(cells: Mapping[str, Answered], thresholds: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the metrics of each cell, named as in `measure` with the prefix "strokes"."""
    return {name: measure("strokes", cell, thresholds) for name, cell in cells.items()}


def average(cells: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the means over the results of `measure_cells`, and the accuracy of the worst cell; empty without cells."""
    if not cells:
        return {}
    names = ("accuracy", "ece", "refused", "unsure", "selective_accuracy")
    means = {f"strokes_{name}": np.mean([cell[f"strokes_{name}"] for cell in cells.values()]) for name in names}
    return {name: round(float(mean), 6) for name, mean in means.items()} | {
        "strokes_worst_accuracy": min(cell["strokes_accuracy"] for cell in cells.values())
    }
