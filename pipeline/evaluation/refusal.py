"""What is said of things that are not a digit, family by family, at the thresholds in use."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.base.arrays import join_batches
from pipeline.dataset.pictures import digit_source
from pipeline.evaluation.statistics import proportion
from pipeline.ink.warp import CANVAS_PX
from pipeline.nondigits.families import FAMILIES, Family, draw_picture
from pipeline.nondigits.groups import DigitSource
from pipeline.reader.model import Reader, read_all
from pipeline.sources.unipen import Drawing
from serving.model.decisions import STATES, is_refused, states

N_CANVASES = 25  # sizes of canvas in a family of strokes, so that things can be read in batches
SEED = 2


def measure_refusal(reader: Reader, drawings: Sequence[Drawing], n_each: int) -> dict[str, dict[str, dict[str, Any]]]:
    """What each family is called.

    Args:
        reader: with the thresholds in use.
        drawings: single digits, to make several digits of beside generated ones.
        n_each: things of each family.

    Returns:
        ``families``, by name: ``kind``; ``is_held_out``; the share of each state; ``refused``, that of "not_a_digit"
        and "blank" together, with its 95 % interval ``refused_low`` to ``refused_high``.
        ``held_out``, by kind: ``refused`` with its interval, of all things in the held-out families of that kind.
    """
    rng = np.random.default_rng(SEED)
    digits = digit_source(drawings)
    found = {
        name: states(_read(reader, _things(family, n_each, rng, digits)), reader.calibration.thresholds)
        for name, family in FAMILIES.items()
    }
    families = {
        name: {"kind": family.kind, "is_held_out": family.is_held_out}
        | {state: round(float((found[name] == state).mean()), 6) for state in STATES}
        | proportion("refused", is_refused(found[name]))
        for name, family in FAMILIES.items()
    }
    by_kind = defaultdict(list)
    for name, family in FAMILIES.items():
        if family.is_held_out:
            by_kind[family.kind].append(is_refused(found[name]))
    held_out = {kind: proportion("refused", np.concatenate(refused)) for kind, refused in by_kind.items()}
    return {"families": families, "held_out": held_out}


def held_out_shares(refusal: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, float]:
    """What `measure_refusal` found of the held-out families in a line each: ``refused_<kind>``."""
    return {f"refused_{kind.replace(' ', '_')}": found["refused"] for kind, found in refusal["held_out"].items()}


def _things(family: Family, n_things: int, rng: np.random.Generator, digits: DigitSource) -> list[np.ndarray]:
    """Pictures uint8 ``[height, width]``; those of strokes on canvases of a few sizes."""
    shapes = rng.integers(*CANVAS_PX, size=(N_CANVASES, 2), endpoint=True).tolist()
    return [draw_picture(family, rng, digits, tuple(shapes[i % N_CANVASES])) for i in range(n_things)]


def _read(reader: Reader, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Answers to pictures of several sizes, in another order: those of one size together."""
    by_shape = defaultdict(list)
    for picture in pictures:
        by_shape[picture.shape].append(picture)
    return join_batches([read_all(reader, np.stack(batch)) for batch in by_shape.values()])
