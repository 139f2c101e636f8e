"""Compare the answers of the model file with those of the evaluated reader."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.base.arrays import join_batches
from pipeline.base.errors import ParityError
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.dataset.pictures import digit_source
from pipeline.ink.warp import CANVAS_PX
from pipeline.nondigits.families import FAMILIES, draw_picture
from pipeline.sources.unipen import Drawing
from serving.errors import ModelError
from serving.model.predictor import Predictor

BATCH = 500  # images
N_OF_FAMILY = 4  # pictures of each family of non-digits
SEED = 4  # for these pictures
MAX_TIED = 2e-4  # share of the pictures


def pictures(test_images: np.ndarray, drawings: Sequence[Drawing]) -> list[np.ndarray]:
    """Return the pictures to compare on, in batches uint8 ``[n, height, width]``.

    They are all test images, all test drawings as the page sends them, and some pictures of each non-digit family.
    """
    rng = np.random.default_rng(SEED)
    digits, shapes = digit_source(drawings), rng.integers(*CANVAS_PX, size=(N_OF_FAMILY, 2)).tolist()
    others = [draw_picture(family, rng, digits, tuple(shape))[None] for family in FAMILIES.values() for shape in shapes]
    return [*np.array_split(test_images, max(1, len(test_images) // BATCH)), *draw_cell(drawings, CELLS[0]), *others]


def run_file(path: Path, batches: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Run a model file with the code of the service. Return the same arrays as `Reader.read`.

    Raises:
        ParityError: the service would reject the file.
    """
    try:
        predictor = Predictor.load(path)
        predictor.check()
    except ModelError as error:
        raise ParityError(f"the service cannot use the converted file: {error}") from error
    return join_batches([predictor.run(batch, with_features=True).arrays() for batch in batches])


def compare(answers: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float) -> float:
    """Return the largest difference of a probability between the file and the evaluated reader.

    A picture may be centred one pixel apart if its centre of mass is on the edge of a pixel, because runtimes round
    differently. Such pictures, at most `MAX_TIED` of all, need only have the same class.

    Raises:
        ParityError: the difference is larger than `tolerance`, or another output differs.
    """
    n_changed = int((answers["probabilities"].argmax(axis=1) != expected["probabilities"].argmax(axis=1)).sum())
    gaps = {name: _gaps(answers[name], expected[name]) for name in answers.keys() & expected.keys()}
    is_tied = gaps["normalized"] > 1
    if is_tied.mean() > MAX_TIED:
        raise ParityError(f"normalized differs between the file and the evaluated network in {is_tied.sum()} pictures")
    difference = float(gaps["probabilities"][~is_tied].max())
    if n_changed or not difference <= tolerance:
        raise ParityError(
            f"the file answers differently from the evaluated network and was not kept: {n_changed} of {len(is_tied)} "
            f"classes differ, a probability by up to {difference:.2g} (export.parity_tolerance allows {tolerance:g})"
        )
    if answers.keys() != expected.keys():
        raise ParityError(f"the file has the outputs {[*answers]}, and the evaluated network {[*expected]}")
    for name, allowed in {"digit_score": tolerance, "box": 0, "features": tolerance}.items():
        gap = gaps[name][~is_tied].max() if name in gaps else 0
        if not gap <= allowed:
            raise ParityError(f"{name} differs by up to {gap:g} between the file and the evaluated network")
    return difference


def _gaps(answers: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the largest difference of each picture: float64 ``[n]``."""
    return np.abs(answers.astype(np.float64) - expected).reshape(len(answers), -1).max(axis=1)
