"""What the service keeps of a drawing is what the pipeline reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset.pictures import render_drawings
from pipeline.sources.unipen import BOX_PX, load_drawings, parse_unipen
from serving.api.drawings import BOX, DECIMALS, EXAMPLE, HIGHEST, LOWEST, Drawings

# Half of the last decimal, and what float32 takes off.
TOLERANCE = 0.5 * 10**-DECIMALS + 1e-4

COORDINATES = st.floats(LOWEST, HIGHEST) | st.sampled_from([0, 1, LOWEST, HIGHEST, 1e-9, -1e-9])
STROKES = st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=30), min_size=1, max_size=6)


def assert_kept(folder: Path, strokes: list[list[list[float]]], label: int) -> None:
    id_ = Drawings(folder).keep(json.dumps({"strokes": strokes, "label": label}).encode(), 10)
    [drawing] = parse_unipen((folder / f"{id_}.unipen").read_text())
    assert drawing.label == label
    for found, sent in zip(drawing.strokes, strokes, strict=True):
        # Both have y down: the text has it up.
        np.testing.assert_allclose(found, BOX_PX * np.array(sent), atol=TOLERANCE, rtol=0)


def test_the_box_is_the_pipeline_s():
    assert BOX == BOX_PX


def test_the_example_is_read_as_it_was_drawn(tmp_path):
    assert_kept(tmp_path, EXAMPLE["strokes"], EXAMPLE["label"])


@settings(max_examples=50, deadline=None)
@given(strokes=STROKES, label=st.integers(0, 9))
def test_every_drawing_is_read_as_it_was_drawn(tmp_path_factory: pytest.TempPathFactory, strokes, label):
    assert_kept(tmp_path_factory.getbasetemp() / "kept", strokes, label)


def test_what_is_kept_is_found_and_drawn_for_training(tmp_path):
    point = [0.5, 0.5]
    kept = [(EXAMPLE["strokes"], 7), ([[point]], 1), ([[point, point]], 1)]
    drawings = Drawings(tmp_path)
    for strokes, label in kept:
        drawings.keep(json.dumps({"strokes": strokes, "label": label}).encode(), 10)
    found = load_drawings(tmp_path)
    assert sorted(drawing.label for drawing in found) == [1, 1, 7]
    pictures = render_drawings(found, 2, seed=0, is_warped=True)
    assert len(pictures.labels) == 6
    assert pictures.images.max(axis=(1, 2)).min() > 200


def test_several_files_are_read_as_one(tmp_path):
    for label in range(3):
        assert_kept(tmp_path, EXAMPLE["strokes"], label)
    text = "".join(file.read_text() for file in tmp_path.iterdir())
    assert sorted(drawing.label for drawing in parse_unipen(text)) == [0, 1, 2]
