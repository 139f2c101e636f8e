import json
from itertools import product

import numpy as np
import pytest
from PIL import ImageFont

from bench import hands, read
from bench.hands import ANSWER, FIGURES, N_WARPS, PENS, SIDE_PX, draw, figures, font_names, open_font, section
from pipeline.base.errors import DataError
from tests.project import ROOT


def test_the_fonts_are_many_and_free():
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert len(font_names()) >= 15
    assert {lock[f"node_modules/@fontsource/{name}"]["license"] for name in font_names()} == {"OFL-1.1"}


def test_a_missing_font_is_an_error_that_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(hands, "ROOT", tmp_path)
    with pytest.raises(DataError, match=r"kalam-latin-400-normal.woff: run `npm ci`"):
        open_font("kalam")


def test_letters_shaped_like_digits_are_left_out():
    assert not set("OoIlZzSsBbgqQ") & set(hands.CAPITALS + hands.LOWER_CASE)
    assert set("AEHKMNRTW") <= set(hands.CAPITALS)
    assert set("acdehkmnrw") <= set(hands.LOWER_CASE)


@pytest.fixture
def font():
    """Pillow contains this font, so that the tests need no npm package."""
    return ImageFont.load_default(hands.FONT_PX)


def test_pictures_are_dark_on_light_and_repeat(font):
    pictures, other = draw(font, "R", [1, 2]), draw(font, "R", [1, 3])
    assert (pictures.dtype, pictures.shape) == (np.uint8, (1 + N_WARPS, len(PENS), SIDE_PX, SIDE_PX))
    assert (draw(font, "R", [1, 2]) == pictures).all()
    assert [(one == two).all() for one, two in zip(pictures, other, strict=True)] == [True] + N_WARPS * [False]
    assert len({picture.tobytes() for picture in pictures[:, 1]}) == 1 + N_WARPS
    assert min(pictures[..., [0, -1], :].min(), pictures[..., [0, -1]].min()) == 255
    assert (pictures.min(axis=(2, 3)) == 0).all()


def test_the_size_and_the_pens(font):
    thin, drawn, thick = (255 - draw(font, "l", [1])[0]) / 255.0
    rows, columns = np.nonzero(drawn > 0.5)
    assert np.ptp(rows) + 1 == pytest.approx(hands.INK_PX, abs=1)
    assert [places.min() + places.max() for places in (rows, columns)] == pytest.approx([SIDE_PX - 1] * 2, abs=2)
    widths = [ink[SIDE_PX // 2].sum() for ink in (thin, drawn, thick)]
    assert widths == pytest.approx([widths[1] * 2 / 3, widths[1], hands.THICK * hands.INK_PX], abs=1)


def test_figures_follow_from_the_answers():
    drawn = list(product("fg", "4Aa", (0, 1), PENS))
    answers = {key: ("digit", "4") if key[1] == "4" else ("not_a_digit", "9") for key in drawn}
    answers["f", "4", 0, "thin"] = ("unsure", "9")
    answers["g", "4", 1, "thick"] = ("not_a_digit", "4")
    answers["f", "A", 0, "thin"] = answers["f", "A", 1, "thick"] = ("digit", "4")
    found = figures(np.array([key + answer for key, answer in answers.items()], ANSWER).view(np.recarray))
    shares = {way: [round(12 * row[name]) for name in FIGURES] for way, row in found["ways"].items()}
    assert shares == {
        "all": [11, 1, 1, 10, 12],
        "plain": [10, 0, 2, 10, 12],
        "warped": [12, 2, 0, 10, 12],
        "thin": [9, 0, 3, 9, 12],
        "as drawn": [12, 0, 0, 12, 12],
        "thick": [12, 3, 0, 9, 12],
    }
    capitals = [found["ways"]["all"][f"capitals_refused{end}"] for end in ("_low", "", "_high")]
    assert capitals == pytest.approx([4 / 6, 10 / 12, 1], abs=1e-5)  # the fonts' shares are the ends
    assert {name: round(6 * row["capitals_refused"]) for name, row in found["fonts"].items()} == {"f": 4, "g": 6}
    assert found["read_as"] == {"A_as_4": 2, "4_as_9": 1}
    text = section({"origin": {"command": "c"}} | found)
    assert "12 pictures of each digit and letter in 2 handwriting fonts" in text
    assert "Digits read as another most: 4 as 9 (8.3 %).\n- Letters read as another most: A as 4 (16.7 %)." in text
    assert "capitals refused: f (66.7 %), g (100.0 %)." in text


def test_the_results_are_of_the_fonts():
    assert sorted(read("hands")["fonts"]) == sorted(font_names())
