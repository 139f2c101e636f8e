"""What is said of things that are not a digit, family by family."""

from dataclasses import replace

import numpy as np

from pipeline.nondigits import FAMILIES, Family
from pipeline.reader import Reader, read_all
from pipeline.skeletons import draw_digit
from pipeline.strokes import StrokeRender, Strokes, render

N_EACH = 200  # things of each family
SEED = 2
SHAPE = (128, 128)  # pixels of the canvases


def measure_refusal(reader: Reader) -> dict[str, dict[str, float]]:
    """Shares of each family that are called a digit, unsure, not a digit and blank, by the thresholds in use."""
    rng = np.random.default_rng(SEED)
    return {name: _states(reader, _things(family, rng)) for name, family in FAMILIES.items()}


def _things(family: Family, rng: np.random.Generator) -> list[np.ndarray]:
    """Pictures uint8 ``[height, width]``; those of strokes on canvases of one size."""
    ranges = replace(StrokeRender(), line_fraction=family.line_width)
    things = [family.draw(rng, _digit) for _ in range(N_EACH)]
    return [thing if isinstance(thing, np.ndarray) else render(thing, rng, ranges, SHAPE) for thing in things]


def _digit(rng: np.random.Generator) -> tuple[int, Strokes]:
    label = int(rng.integers(10))
    return label, draw_digit(label, rng)


def _states(reader: Reader, pictures: list[np.ndarray]) -> dict[str, float]:
    thresholds = reader.calibration.thresholds
    scores = np.concatenate([read_all(reader, picture[None])["digit_score"] for picture in pictures])
    shares = {
        "digit": scores >= thresholds["digit"],
        "unsure": (scores < thresholds["digit"]) & (scores >= thresholds["unsure"]),
        "not_a_digit": (scores < thresholds["unsure"]) & (scores > 0),
        "blank": scores == 0,
    }
    return {state: round(float(share.mean()), 4) for state, share in shares.items()}
