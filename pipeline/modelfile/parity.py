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

    Raises:
        ParityError: the difference is larger than `tolerance`, or another output differs.
    """
    found, wanted = answers["probabilities"], expected["probabilities"]
    n_changed = int((found.argmax(axis=1) != wanted.argmax(axis=1)).sum())
    difference = float(np.abs(found - wanted).max())
    if n_changed or not difference <= tolerance:
        raise ParityError(
            f"the file answers differently from the evaluated network and was not kept: {n_changed} of {len(found)} "
            f"classes differ, a probability by up to {difference:.2g} (export.parity_tolerance allows {tolerance:g})"
        )
    if answers.keys() != expected.keys():
        raise ParityError(f"the file has the outputs {[*answers]}, and the evaluated network {[*expected]}")
    # One grey level of a pixel moves a feature further than a probability.
    allowed = {"digit_score": tolerance, "normalized": 1, "box": 0, "features": 10 * tolerance}
    for name in list(answers)[1:]:
        gap = np.abs(answers[name].astype(np.float64) - expected[name].astype(np.float64)).max()
        if not gap <= allowed[name]:
            raise ParityError(f"{name} differs by up to {gap:g} between the file and the evaluated network")
    return difference
