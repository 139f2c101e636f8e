"""UNIPEN text: what is read, what is refused, and the whole of Pendigits where a mirror has it."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.sources.unipen import parse_unipen

TEXT = """.INCLUDE        dene.doc

.LEXICON "0" "1" "2" "3" "4" "5" "6" "7" "8" "9"
.HIERARCHY      DIGIT

.SEGMENT DIGIT    0 ? "8"
.COMMENT 8 12  224
.PEN_DOWN
 267  333
 267  336
.PEN_UP
.DT 100

.SEGMENT DIGIT    1 ? "7"
.COMMENT 7  3   17
.PEN_DOWN
 100  400
 200  400
 150  100
.PEN_UP
.DT 100
.PEN_DOWN
 120  250
.PEN_UP
.DT 100
"""


def test_digits_writers_and_strokes_are_read_and_y_is_turned_down():
    eight, seven = parse_unipen(TEXT)
    assert (eight.label, eight.writer, seven.label, seven.writer) == (8, 12, 7, 3)
    assert [stroke.tolist() for stroke in seven.strokes] == [[[100, 100], [200, 100], [150, 400]], [[120, 250]]]
    assert all(stroke.dtype == np.float32 for stroke in eight.strokes)


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("\n", "\r"), (" ", "\t"), ("\n", "  \n\n"), ("\n ", "\n")])
def test_line_ends_and_white_space_may_be_any(change):
    for as_it_is, changed in zip(parse_unipen(TEXT), parse_unipen(TEXT.replace(*change)), strict=True):
        assert (as_it_is.label, as_it_is.writer) == (changed.label, changed.writer)
        assert all(np.array_equal(*pair) for pair in zip(as_it_is.strokes, changed.strokes, strict=True))


@pytest.mark.parametrize(
    ("intact", "damaged", "line"),
    [
        (" 267  336", " 267", 10),
        (" 267  336", " 267  3x6", 10),
        (" 267  336", " 267  nan", 10),
        (".COMMENT 8 12  224", ".COMMENT 9 12  224", 7),
        (".COMMENT 8 12  224", ".COMMENT eight", 7),
        (".COMMENT 8 12  224", "", 6),
        ('? "8"', '? "x"', 6),
        (".PEN_UP\n.DT 100\n\n", ".DT 100\n\n", 13),
        (".PEN_DOWN\n 267", "267", 8),
        (" 150  100\n.PEN_UP", " 150  100", 21),
    ],
)
def test_damage_is_refused_by_its_line(intact, damaged, line):
    assert intact in TEXT
    with pytest.raises(DataError, match=f"line {line}:"):
        parse_unipen(TEXT.replace(intact, damaged, 1))


@pytest.mark.parametrize(
    "text", ["", "\n", ".PEN_DOWN\n", '.SEGMENT DIGIT 0 ? "8"\n.COMMENT 8 1 1\n', TEXT[: TEXT.index(" 150")]]
)
def test_text_that_is_cut_short_is_refused(text):
    with pytest.raises(DataError, match="line"):
        parse_unipen(text)


@pytest.mark.parametrize(("name", "n_digits", "n_writers"), [("tra", 7494, 30), ("tes", 3498, 14)])
def test_all_of_pendigits(name, n_digits, n_writers):
    path = Path(os.environ.get("INKLING_MIRROR", ""), "pendigits", f"pendigits-orig.{name}")
    if not path.is_file():
        pytest.skip("INKLING_MIRROR names no directory with Pendigits")
    drawings = parse_unipen(path.read_text())
    digits_of = Counter(drawing.writer for drawing in drawings)
    assert len(drawings) == n_digits
    assert sorted(digits_of) == list(range(1, n_writers + 1))
    assert min(digits_of.values()) >= 247
    assert max(digits_of.values()) == 250
    points = np.concatenate([stroke for drawing in drawings for stroke in drawing.strokes])
    assert points.min() >= 0
    assert points.max() <= 500
