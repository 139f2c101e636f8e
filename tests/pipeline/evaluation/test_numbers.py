"""Strings of one writer, and what is measured on them."""

import numpy as np
import pytest

from pipeline.evaluation import numbers
from pipeline.evaluation.numbers import (
    KINDS,
    LATE,
    LENGTHS,
    SPACINGS,
    became_number,
    make_letters,
    make_string,
    make_strings,
    measure_numbers,
    read_numbers,
)
from pipeline.nondigits.families import FAMILIES
from pipeline.sources.unipen import Drawing
from serving.numbers.weights import NumberWeights

WEIGHTS = NumberWeights(
    score=1.0, digit=2.0, gap=90.0, late=0.0, lowness=20.0, width=90.0, overlap=20.0, max_cost=100.0
)
THRESHOLDS = {"digit_score": 0.5, "confidence": 0.5}


def drawing(label, writer=1):
    """Return a digit of two strokes that overlap, 100 high."""
    upright = np.array([[30, 0], [30, 100]], np.float32)
    across = np.array([[0, 50], [60, 50]], np.float32)
    return Drawing(label, writer, [upright, across])


def extents(string):
    points = [np.concatenate([string.strokes[index] for index in strokes]) for strokes in string.digits]
    return np.array([[*each.min(axis=0), *each.max(axis=0)] for each in points])


@pytest.mark.parametrize("kind", SPACINGS)
def test_digits_stand_on_a_line_with_the_gaps_of_their_kind(kind):
    string = make_string([drawing(label) for label in (4, 2, 7)], SPACINGS[kind], np.random.default_rng(0))
    found = extents(string)
    assert found.min() >= 0
    assert found.max() <= 1
    line = found[0, 3] - found[0, 1]
    low, high = SPACINGS[kind]
    gaps = (found[1:, 0] - found[:-1, 2]) / line
    assert (gaps > low - 1e-6).all()
    assert (gaps < high + 1e-6).all()
    assert np.ptp(found[:, 1]) / line < 0.11
    assert string.label == (4, 2, 7)
    assert string.owners == (0, 0, 1, 1, 2, 2)


def test_late_strokes_come_after_all_digits():
    string = make_string([drawing(4), drawing(7)], KINDS[LATE], np.random.default_rng(0), is_late=True)
    assert string.owners == (0, 1, 0, 1)
    assert string.digits == [(0, 2), (1, 3)]


def test_a_string_has_one_writer_and_every_writer_has_strings():
    drawings = [drawing(label, writer) for writer in (1, 2, 3) for label in (writer, writer + 3)]
    strings = make_strings(drawings, 3, (0, 0), np.random.default_rng(0), False)
    assert sorted(len(string.label) for string in strings) == sorted([*LENGTHS] * 3)
    assert {string.writer for string in strings} == {1, 2, 3}
    assert all(set(string.label) <= {string.writer, string.writer + 3} for string in strings)


def all_fours(pictures):
    probabilities = np.full((len(pictures), 10), 0.01)
    probabilities[:, 4] = 0.91
    return {"probabilities": probabilities, "digit_score": np.full(len(pictures), 0.9)}


@pytest.fixture
def few_strings(monkeypatch):
    monkeypatch.setattr(numbers, "N_EACH", 4)


@pytest.mark.usefixtures("few_strings")
def test_the_shares_are_those_of_the_answers():
    measured = measure_numbers(all_fours, [drawing(4), drawing(7, writer=2)], WEIGHTS, THRESHOLDS)
    assert set(measured) == {*KINDS, "single", "letters"}
    for kind in ("spaced", "tight", LATE):
        # Writer 1 writes only fours, and the other only sevens.
        assert measured[kind]["accuracy"] == measured[kind]["cut"] / 2 == 0.5
        assert measured[kind]["read"] == 1
        assert measured[kind]["n"] == 4 * len(LENGTHS)
        assert set(measured[kind]["lengths"].values()) == {0.5}
    assert measured["touching"]["accuracy"] < 0.5
    assert measured["single"]["n"] == measured["single"]["n_several_strokes"] == 2
    assert measured["single"]["became_number"] == 0


@pytest.mark.usefixtures("few_strings")
def test_a_single_digit_in_pieces_becomes_a_number():
    wide = NumberWeights(**vars(WEIGHTS) | {"digit": -100.0})
    measured = measure_numbers(all_fours, [drawing(4), drawing(7, writer=2)], wide, THRESHOLDS)
    assert measured["single"]["became_number"] == 1
    assert measured["spaced"]["cut"] == 0


def test_letters_have_several_strokes_and_are_those_of_the_split():
    held_out, trained = (make_letters(3, np.random.default_rng(0), is_held_out=held) for held in (True, False))
    families = [family for family in FAMILIES.values() if family.kind == "letters"]
    assert len(held_out) == 3 * sum(family.is_held_out for family in families)
    assert len(trained) == 3 * len(families) - len(held_out)
    assert all(len(letter.strokes) > 1 for letter in held_out + trained)


def test_letters_that_cost_too_much_do_not_become_numbers():
    letters = [letter.strokes for letter in make_letters(4, np.random.default_rng(0), is_held_out=True)]
    shares = []
    for max_cost in (100.0, -100.0):
        weights = NumberWeights(
            **vars(WEIGHTS) | {"digit": -10.0, "overlap": 0.0, "lowness": 0.0, "max_cost": max_cost}
        )
        shares.append(became_number(read_numbers(all_fours, letters, weights, THRESHOLDS)).mean())
    assert shares[0] > 0.8
    assert shares[1] == 0


@pytest.mark.usefixtures("few_strings")
def test_without_drawings_of_several_strokes_they_have_no_share():
    drawings = [Drawing(label, label, drawing(label).strokes[:1]) for label in (4, 7)]
    single = measure_numbers(all_fours, drawings, WEIGHTS, THRESHOLDS)["single"]
    assert single["n_several_strokes"] == 0
    assert "became_number_several_strokes" not in single


def test_without_drawings_there_is_nothing():
    assert measure_numbers(all_fours, [], WEIGHTS, THRESHOLDS) == {}
