"""States of the answers to non-digits by family, at the thresholds in use."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline.base.arrays import join_batches
from pipeline.dataset.pictures import digit_source
from pipeline.evaluation.statistics import proportion
from pipeline.ink.warp import CANVAS_PX
from pipeline.nondigits.families import FAMILIES, draw_picture
from pipeline.reader.model import Reader, read_all
from pipeline.sources.unipen import Drawing
from serving.model.decisions import STATES, is_refused, states

N_CANVASES = 25  # canvas sizes in a family, few enough to read the pictures in batches
SEED, PAIRS_SEED, OTHERS_SEED = 2, 5, 6
MAX_OTHERS = 100


def measure_refusal(reader: Reader, drawings: Sequence[Drawing], n_each: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the states of the answers to each family.

    Args:
        reader: the reader, whose thresholds decide.
        drawings: digits to use, besides generated ones, in the groups of several digits.
        n_each: pictures in each family.

    Returns:
        - ``families``, by name: ``kind``, ``is_held_out``, and the share of each state. ``refused`` is the share of
          "not_a_digit" and "blank" together, with its 95 % interval ``refused_low`` to ``refused_high``.
        - ``held_out``, by kind: ``refused`` with its interval, over all held-out families of the kind.
        - ``pairs``, by the first digit of a joined pair: ``refused`` with its interval. Empty without drawings.
    """
    rng = np.random.default_rng(SEED)
    digits = digit_source(drawings)
    families: dict[str, dict[str, Any]] = {}
    by_kind = defaultdict(list)
    for name, family in FAMILIES.items():
        found = _states(reader, n_each, rng, partial(draw_picture, family, rng, digits))
        families[name] = (
            {"kind": family.kind, "is_held_out": family.is_held_out}
            | {state: round(float((found == state).mean()), 6) for state in STATES}
            | proportion("refused", is_refused(found))
        )
        if family.is_held_out:
            by_kind[family.kind].append(is_refused(found))
    held_out = {kind: proportion("refused", np.concatenate(refused)) for kind, refused in by_kind.items()}
    return {"families": families, "held_out": held_out, "pairs": _measure_pairs(reader, drawings, n_each)}


def read_held_out(reader: Reader, drawings: Sequence[Drawing], n_each: int) -> dict[str, np.ndarray]:
    """Return the answers to at most `MAX_OTHERS` new pictures of each held-out family, on canvases of one size."""
    rng = np.random.default_rng(OTHERS_SEED)
    digits, shape = digit_source(drawings), (CANVAS_PX[1], CANVAS_PX[1])
    held_out = [family for family in FAMILIES.values() if family.is_held_out]
    n_pictures = min(n_each, MAX_OTHERS)
    return _read(reader, [draw_picture(family, rng, digits, shape) for family in held_out for _ in range(n_pictures)])


def held_out_shares(refusal: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, float]:
    """Return the refused share of each held-out kind as ``refused_<kind>``, from the result of `measure_refusal`."""
    return {f"refused_{kind.replace(' ', '_')}": found["refused"] for kind, found in refusal["held_out"].items()}


def _measure_pairs(reader: Reader, drawings: Sequence[Drawing], n_each: int) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(PAIRS_SEED)
    by_label = defaultdict(list)
    for drawing in drawings:
        by_label[drawing.label].append(drawing.strokes)

    def draw_pair(first: int, shape: tuple[int, int]) -> np.ndarray:
        labels = iter((first, int(rng.choice(list(by_label)))))

        def digits(rng: np.random.Generator, label: int | None = None) -> tuple[int, Any]:
            label = next(labels)  # not the label that the family asks for
            return label, by_label[label][int(rng.integers(len(by_label[label])))]

        return draw_picture(FAMILIES["pairs"], rng, digits, shape)

    return {
        str(first): proportion("refused", is_refused(_states(reader, n_each, rng, partial(draw_pair, first))))
        for first in sorted(by_label)
    }


def _states(
    reader: Reader, n: int, rng: np.random.Generator, draw: Callable[[tuple[int, int]], np.ndarray]
) -> np.ndarray:
    """Draw n pictures on canvases of several sizes. Return the states of the answers, in any order."""
    shapes = rng.integers(*CANVAS_PX, size=(N_CANVASES, 2), endpoint=True).tolist()
    pictures = [draw(tuple(shapes[i % N_CANVASES])) for i in range(n)]
    return states(_read(reader, pictures), reader.calibration.thresholds)


def _read(reader: Reader, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Read pictures of several sizes. The answers are grouped by size."""
    by_shape = defaultdict(list)
    for picture in pictures:
        by_shape[picture.shape].append(picture)
    return join_batches([read_all(reader, np.stack(batch)) for batch in by_shape.values()])
