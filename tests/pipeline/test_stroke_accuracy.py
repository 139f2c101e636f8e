import numpy as np

from pipeline.calibration import Calibration
from pipeline.config import load_config
from pipeline.model import build_network
from pipeline.reader import Reader
from pipeline.stroke_accuracy import CELLS, read_drawings
from pipeline.unipen import Drawing

STROKES = [np.array([[0, 0], [0, 100], [60, 100]], np.float32)]


def test_the_cells_are_all_ways_to_draw():
    assert len({cell.name for cell in CELLS}) == 8
    assert CELLS[0].name == "line_12_size_60_centred"


def test_every_drawing_is_read_at_its_size_and_place():
    reader = Reader(build_network(load_config(["model.width=0.25"]).model), Calibration(1.0, {}))
    drawings = [Drawing(1, 1, STROKES)] * 3
    for cell in CELLS:
        box = read_drawings(reader, drawings, cell)["box"]
        assert box.shape == (3, 4)
        heights = (box[:, 3] - box[:, 1]) / 280
        assert np.allclose(heights, cell.size * (1 + cell.line), atol=0.02)
        is_centred = np.allclose((box[:, 0] + box[:, 2]) / 2, 140, atol=1)
        assert is_centred == cell.is_centred
