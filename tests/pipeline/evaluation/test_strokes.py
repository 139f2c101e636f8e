import numpy as np
import pytest

from pipeline.dataset.cells import CELLS, REFERENCE
from pipeline.evaluation.strokes import average, measure_cells, read_cells
from pipeline.sources.unipen import Drawing
from serving.drawing.sheet import PICTURE_PX, SIDE_PX

STROKES = [np.array([[0, 0], [0, 100], [60, 100]], np.float32)]
DRAWINGS = [Drawing(1, writer, STROKES) for writer in (1, 1, 2)]


def test_size_and_position_in_each_cell(reader):
    assert len({cell.name for cell in CELLS}) == 8
    cells = read_cells(reader, DRAWINGS)
    for cell in CELLS:
        box = cells[cell.name].answers["box"]
        assert box.shape == (3, 4)
        heights = (box[:, 3] - box[:, 1]) / SIDE_PX
        assert np.allclose(heights, cell.size * (1 + cell.line), atol=0.02)
        is_centred = np.allclose((box[:, 0] + box[:, 2]) / 2, PICTURE_PX / 2, atol=1)
        assert is_centred == cell.is_centred


def test_averages_are_over_all_cells(reader):
    cells = read_cells(reader, DRAWINGS)
    assert list(cells) == [cell.name for cell in CELLS]
    assert all(cell.writers.tolist() == [1, 1, 2] for cell in cells.values())
    figures = measure_cells(cells, reader.calibration.thresholds)
    figures[REFERENCE] |= {"strokes_accuracy": 0.5, "strokes_refused": 0.8}
    for name in set(figures) - {REFERENCE}:
        figures[name] |= {"strokes_accuracy": 0.9, "strokes_refused": 0.0}
    means = average(figures)
    assert means["strokes_accuracy"] == pytest.approx(0.85)
    assert means["strokes_worst_accuracy"] == 0.5
    assert means["strokes_refused"] == pytest.approx(0.1)
