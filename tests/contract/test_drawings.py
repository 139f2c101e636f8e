"""The pipeline reads the drawings that the service stores."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import review
from pipeline.dataset.pictures import render_drawings
from pipeline.sources.unipen import BOX_PX, load_files, parse_unipen
from serving.api.drawings import BOX, DECIMALS, EXAMPLE, store
from serving.api.messages import HIGHEST, LOWEST
from tests.e2e.digits import DIGITS

TOLERANCE = 0.5 * 10**-DECIMALS + 1e-4  # half of the last decimal, and the rounding of float32
COORDINATES = st.floats(LOWEST, HIGHEST) | st.sampled_from([0, 1, LOWEST, HIGHEST, 1e-9, -1e-9])
STROKES = st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=30), min_size=1, max_size=6)


def keep(folder, strokes, label):
    id_ = store(folder, json.dumps({"strokes": strokes, "label": label}).encode(), 10)
    return folder / f"{id_}.unipen"


@settings(max_examples=50, deadline=None)
@given(strokes=STROKES | st.just(EXAMPLE["strokes"]), label=st.integers(0, 9))
def test_every_stored_drawing_is_read_unchanged(tmp_path_factory, strokes, label):
    folder = tmp_path_factory.getbasetemp() / "kept"
    folder.mkdir(exist_ok=True)
    [drawing] = parse_unipen(keep(folder, strokes, label).read_text())
    assert drawing.label == label
    assert BOX == BOX_PX
    for found, sent in zip(drawing.strokes, strokes, strict=True):
        np.testing.assert_allclose(found, BOX_PX * np.array(sent), atol=TOLERANCE, rtol=0)


def test_stored_drawings_are_found_and_drawn_for_training(tmp_path):
    point = [0.5, 0.5]
    files = [keep(tmp_path, *kept) for kept in ((EXAMPLE["strokes"], 7), ([[point]], 1), ([[point, point]], 1))]
    found = [drawing for _, drawing in load_files(tmp_path)]
    assert sorted(drawing.label for drawing in found) == [1, 1, 7]
    assert len(parse_unipen("".join(file.read_text() for file in files))) == 3
    pictures = render_drawings(found, 2, seed=0, is_warped=True)
    assert len(pictures.labels) == 6
    assert pictures.images.max(axis=(1, 2)).min() > 200


def test_a_review_lists_false_labels_first(tmp_path, monkeypatch, capsys):
    for digit, strokes in DIGITS.items():
        keep(tmp_path, strokes, digit)
    false = keep(tmp_path, [[(x, 0.9 * y + 0.05) for x, y in stroke] for stroke in DIGITS[4]], 7)
    scribble = keep(tmp_path, [[(0.1 * (i % 10), 0.05 * (7 * i % 20)) for i in range(60)]], 3)
    picture = tmp_path / "review.png"
    monkeypatch.setattr("sys.argv", ["review", str(tmp_path), "--picture", str(picture)])
    review.main()
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[:-2]} == {false.name, scribble.name}
    assert f"{false.name}  label 7, read as 4, " in "\n".join(lines)
    assert lines[-2] == "2 of 12 drawings are read as something else than their label."
    assert picture.stat().st_size > 5000
