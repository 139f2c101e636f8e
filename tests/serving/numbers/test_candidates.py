"""Candidates are sets of strokes of a digit's size, drawn as if there were no other strokes."""

import numpy as np
import pytest

from serving.drawing.rasterize import rasterize
from serving.drawing.strokes import Strokes
from serving.numbers.candidates import (
    LINE_PX,
    PEN,
    SIDE_PX,
    boxes_of,
    draw_candidates,
    find_candidates,
    line_height,
)


def line_at(x: float, height: float = 0.3, width: float = 0.0) -> np.ndarray:
    return np.array([[x, 0.3], [x + width, 0.3 + height]])


def candidates_of(strokes: Strokes) -> set[tuple[int, ...]]:
    boxes = boxes_of(strokes)
    return {candidate.strokes for candidate in find_candidates(boxes, line_height(boxes))}


def test_the_candidates_are_runs_of_strokes_that_are_no_wider_than_a_digit() -> None:
    assert candidates_of([line_at(0.1), line_at(0.2), line_at(0.9)]) == {(0,), (1,), (2,), (0, 1)}


def test_only_all_strokes_together_may_be_wider_than_a_digit() -> None:
    crossbar = line_at(0.1, height=0.0, width=0.45)
    assert candidates_of([line_at(0.1), crossbar]) == {(0,), (1,), (0, 1)}
    assert candidates_of([line_at(0.1), crossbar, line_at(0.9)]) == {(0,), (1,), (2,)}


def test_a_late_stroke_is_a_candidate_with_its_digit() -> None:
    crossbar = line_at(0.08, height=0.0, width=0.1)
    found = candidates_of([line_at(0.1), line_at(0.5), line_at(0.9), crossbar])
    assert (0, 3) in found
    assert (2, 3) not in found


def test_at_most_four_strokes_are_a_digit_unless_there_are_no_others() -> None:
    strokes = [line_at(0.1 + 0.01 * place) for place in range(6)]
    assert {len(strokes) for strokes in candidates_of(strokes)} == {1, 2, 3, 4, 6}


@pytest.mark.parametrize(
    ("strokes", "height"),
    [
        ([line_at(0.1), line_at(0.3), line_at(0.5)], 0.3),
        ([line_at(0.1), line_at(0.3, height=0.02, width=0.05)], 0.3),
        # Three strokes of one digit, none of them as high as the digit.
        ([line_at(0.1, 0.15, 0.1), np.array([[0.12, 0.45], [0.18, 0.6]])], 0.225),
        ([np.array([[0.5, 0.5]])], 0.04),
        ([line_at(0.1, height=0.0, width=0.5)], 0.1),
    ],
)
def test_the_line_is_as_high_as_the_digits(strokes: Strokes, height: float) -> None:
    assert line_height(boxes_of(strokes)) == pytest.approx(height)


def test_a_picture_is_that_of_its_strokes_alone() -> None:
    rng = np.random.default_rng(0)
    strokes = [rng.uniform((0.05 * place, 0.4), (0.05 * place + 0.2, 0.6), (20, 2)) for place in range(4)]
    boxes = boxes_of(strokes)
    line = line_height(boxes)
    candidates = find_candidates(boxes, line)
    pictures = draw_candidates(strokes, boxes, candidates, line)
    assert len(pictures) == len(candidates) > 4
    for picture, candidate in zip(pictures, candidates, strict=True):
        scale = LINE_PX / line
        middle = np.array([candidate.box.left + candidate.box.right, candidate.box.top + candidate.box.bottom]) / 2
        corner = np.floor(middle * scale) - SIDE_PX / 2
        own = [strokes[index] * scale - corner for index in candidate.strokes]
        expected = rasterize(own, (SIDE_PX, SIDE_PX), PEN * LINE_PX)
        assert np.abs(picture.astype(int) - expected).max() <= 1  # the tiles lie elsewhere, so the last bits differ
        assert picture[:4].max() == picture[-4:].max() == picture[:, :4].max() == picture[:, -4:].max() == 0
