import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.base.files import digest_arrays
from pipeline.sources.unipen import pack, parse_unipen

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


def test_labels_writers_and_strokes_are_read_and_y_points_down():
    eight, seven = parse_unipen(TEXT)
    assert (eight.label, eight.writer, seven.label, seven.writer) == (8, 12, 7, 3)
    assert [stroke.tolist() for stroke in seven.strokes] == [[[100, 100], [200, 100], [150, 400]], [[120, 250]]]
    assert all(stroke.dtype == np.float32 for stroke in eight.strokes)


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("\n", "\r"), (" ", "\t"), ("\n", "  \n\n"), ("\n ", "\n")])
def test_line_ends_and_white_space_do_not_matter(change):
    assert digest_arrays(pack(parse_unipen(TEXT.replace(*change)))) == digest_arrays(pack(parse_unipen(TEXT)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TEXT.replace(" 267  336", " 267"), 10),
        (TEXT.replace(" 267  336", " 267  nan"), 10),
        (TEXT.replace(".COMMENT 8 12  224", ".COMMENT 9 12  224"), 7),
        (TEXT.replace(".COMMENT 8 12  224", ""), 6),
        (TEXT.replace('? "8"', '? "x"'), 6),
        (TEXT.replace(".PEN_UP\n.DT 100\n\n", ".DT 100\n\n", 1), 13),
        (TEXT.replace(".PEN_DOWN\n 267", "267"), 8),
        (TEXT.replace(" 150  100\n.PEN_UP", " 150  100"), 21),
        ("", 0),
        ('.SEGMENT DIGIT 0 ? "8"\n.COMMENT 8 1 1\n', 1),
    ],
)
def test_damage_is_rejected_and_its_line_named(text, line):
    with pytest.raises(DataError, match=f"line {line}:"):
        parse_unipen(text)


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("tra", "f618242a3a488f8a91ba48a22466ba48d294731b65f25cbbb04a7f5c52afc8d0"),
        ("tes", "bcbac7f52b07dfd6199e83b1117591798b959c19afce473d4569342843597aa9"),
    ],
)
def test_the_values_of_pendigits(name, sha256):
    path = Path(os.environ.get("INKLING_MIRROR", ""), "pendigits", f"pendigits-orig.{name}")
    if not path.is_file():
        pytest.skip("INKLING_MIRROR is not a directory with Pendigits")
    assert digest_arrays(pack(parse_unipen(path.read_text()))) == sha256
