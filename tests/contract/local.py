"""Drawings that the service and a browser read, and the comparison of their answers."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.e2e.digits import DIGITS, Stroke
from tests.web.test_raster import random_drawing

TOLERANCE = 1e-5
# The last bits of the two runtimes differ. One level of a grid that is near the middle of two may be rounded otherwise.
ROUNDED_TOLERANCE = 2e-3
NUMBERS = {"probabilities", "digit_score", "confidence", "features"}
EXACT = ("model_version", "width", "height")


def drawings(n: int) -> list[list[Stroke]]:
    """Return n drawings: bent and moved digits, and scribbles."""
    rng = np.random.default_rng(0)
    found = [drawn_digit(rng) for _ in range(n * 7 // 10)] + [random_drawing(rng) for _ in range(n * 3 // 10)]
    return [[np.clip(stroke, -0.5, 1.5).tolist() for stroke in strokes] for strokes in found]


def drawn_digit(rng: np.random.Generator) -> list[list[list[float]]]:
    """Return the strokes of a digit, bent and moved."""
    matrix = np.eye(2) * rng.uniform(0.1, 0.7) + rng.normal(0, 0.08, (2, 2))
    centre = rng.uniform(0.3, 0.7, 2)
    strokes = DIGITS[int(rng.integers(10))]
    return [
        ((np.array(stroke) - 0.5 + rng.normal(0, 0.02, (len(stroke), 2))) @ matrix + centre).tolist()
        for stroke in strokes
    ]


def compare(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Compare answers: numbers within the tolerance, everything else exactly."""
    assert len(found) == len(expected)
    n_rounded = 0
    for answer, other in zip(found, expected, strict=True):
        assert answer["state"] == other["state"]
        assert answer["digit"] == other["digit"]
        tolerance = TOLERANCE
        if "normalized" in other:
            assert {name: answer[name] for name in EXACT} == {name: other[name] for name in EXACT}
            assert (answer["box"] is None) == (other["box"] is None)
            assert answer["box"] == (other["box"] and pytest.approx(other["box"], abs=0.011))
            gaps = np.abs(levels_of(answer["normalized"]) - levels_of(other["normalized"]))
            assert gaps.sum() <= 1
            tolerance = ROUNDED_TOLERANCE if gaps.any() else TOLERANCE
            n_rounded += gaps.any()
        for name in NUMBERS & set(other):
            assert answer[name] == (other[name] and pytest.approx(other[name], abs=tolerance))
    assert n_rounded <= len(found) / 50


def levels_of(text: str) -> npt.NDArray[np.int64]:
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(np.int64)
