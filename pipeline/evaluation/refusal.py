"""States of the answers to non-digits by family, at the thresholds in use."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
SEED = 2


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
    """
    rng = np.random.default_rng(SEED)
    digits = digit_source(drawings)
    families: dict[str, dict[str, Any]] = {}
    by_kind = defaultdict(list)
    for name, family in FAMILIES.items():
        shapes = rng.integers(*CANVAS_PX, size=(N_CANVASES, 2), endpoint=True).tolist()
        pictures = [draw_picture(family, rng, digits, tuple(shapes[i % N_CANVASES])) for i in range(n_each)]
        found = states(_read(reader, pictures), reader.calibration.thresholds)
        families[name] = (
            {"kind": family.kind, "is_held_out": family.is_held_out}
            | {state: round(float((found == state).mean()), 6) for state in STATES}
            | proportion("refused", is_refused(found))
        )
        if family.is_held_out:
            by_kind[family.kind].append(is_refused(found))
    held_out = {kind: proportion("refused", np.concatenate(refused)) for kind, refused in by_kind.items()}
    return {"families": families, "held_out": held_out}


def held_out_shares(refusal: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, float]:
    """Return the refused share of each held-out kind as ``refused_<kind>``, from the result of `measure_refusal`."""
    return {f"refused_{kind.replace(' ', '_')}": found["refused"] for kind, found in refusal["held_out"].items()}


def _read(reader: Reader, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Read pictures of several sizes. The answers are grouped by size."""
    by_shape = defaultdict(list)
    for picture in pictures:
        by_shape[picture.shape].append(picture)
    return join_batches([read_all(reader, np.stack(batch)) for batch in by_shape.values()])
