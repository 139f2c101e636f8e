import numpy as np
import pytest

from pipeline.evaluation import refusal
from pipeline.evaluation.refusal import held_out_shares, measure_refusal
from pipeline.network.calibration import Calibration
from pipeline.nondigits.families import FAMILIES
from pipeline.reader.model import Reader
from pipeline.sources.unipen import Drawing

DRAWINGS = [
    Drawing(4, 1, [np.array([[0, 0], [0, 60], [60, 60]], np.float32), np.array([[40, 30], [40, 90]], np.float32)])
]


@pytest.mark.parametrize("drawings", [[], DRAWINGS], ids=["generated", "drawn"])
def test_shares_of_families_and_kinds(reader, drawings):
    measured = measure_refusal(reader, drawings, 2)
    families = measured["families"]
    assert list(families) == list(FAMILIES)
    for row in families.values():
        assert sum(row[state] for state in ("digit", "unsure", "not_a_digit", "blank")) == pytest.approx(1, abs=1e-5)
        assert row["refused_low"] <= row["refused"] <= row["refused_high"]
    letters = [row["refused"] for row in families.values() if row["kind"] == "letters" and row["is_held_out"]]
    assert measured["held_out"]["letters"]["refused"] == pytest.approx(np.mean(letters), abs=1e-5)
    shares = held_out_shares(measured)
    assert {"refused_letters", "refused_several_digits", "refused_noise"} <= set(shares)
    assert shares["refused_blank"] == 1
    assert set(measured["pairs"]) == {str(drawing.label) for drawing in drawings}


def test_pairs_begin_with_each_digit_of_the_drawings(monkeypatch, reader):
    one, two = [np.array([[0, 0], [0, 90]], np.float32)], [np.array([[0, 0], [90, 0]], np.float32)]
    drawn = []

    def draw_picture(_family, rng, digits, shape):
        drawn.append([digits(rng, 7)[0], digits(rng)[0]])
        return np.zeros(shape, np.uint8)

    monkeypatch.setattr(refusal, "draw_picture", draw_picture)
    pairs = refusal._measure_pairs(reader, [Drawing(1, 1, one), Drawing(2, 1, two)], 20)
    assert [first for first, _ in drawn] == [1] * 20 + [2] * 20
    assert {second for _, second in drawn} == {1, 2}
    assert pairs["1"]["refused"] == 1  # blank
    assert list(pairs) == ["1", "2"]


@pytest.mark.parametrize(("threshold", "state"), [(1e-9, "digit"), (2.0, "not_a_digit")])
def test_thresholds_do_not_change_blank(reader, threshold, state):
    strict = Reader(reader.network, Calibration(1.0, {"digit_score": threshold, "confidence": 0.0}))
    for row in measure_refusal(strict, [], 1)["families"].values():
        assert row["blank" if row["kind"] == "blank" else state] == 1
