"""Stage 5: the reader as models/digits.onnx, refused unless it answers as what was evaluated."""

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import tracking
from pipeline.config import Config, params_sha256
from pipeline.data import load_card, load_split, read_arrays, read_json, write_atomic, write_json
from pipeline.decisions import states
from pipeline.errors import ParityError
from pipeline.history import read_history
from pipeline.ink import digit_source
from pipeline.metadata import describe
from pipeline.model_card import write_card
from pipeline.network_alone import attach_network
from pipeline.nondigits import FAMILIES, draw_picture
from pipeline.onnx_graph import convert
from pipeline.paths import PREPARED, ROOT, Outputs
from pipeline.reader import Reader, load_reader, read_all
from pipeline.runtime import set_up, use_float32
from pipeline.stage import run_stage
from pipeline.stroke_accuracy import CELLS, draw_cell
from pipeline.strokes import StrokeRender
from pipeline.sweep import true_end
from pipeline.unipen import Drawing, unpack
from serving.errors import ModelError
from serving.predictor import Predictor

log = logging.getLogger(__name__)

EVALUATED = ("test", "strokes", "refusal", "robustness", "confusions", "steps", "details")  # metrics of `evaluate`
EXPERIMENTS = ROOT / "docs" / "experiment_log.json"
BATCH = 500  # images
N_GOLDEN_CANDIDATES = 1000  # validation images
N_GOLDEN = 3  # of those that the reader is least sure of, and of those that are surely no digits
GOLDEN_FAMILIES = ("latin_letters", "symbols", "signs", "scribbles", "shapes")
N_OF_FAMILY = 4  # things of each family that is no digit
SEED = 4  # of these


def export(config: Config) -> None:
    """Convert, compare the file's answers with those that were evaluated, and only then give it its name.

    Raises:
        ParityError: a class differs, or a probability by more than `export.parity_tolerance`.
    """
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    test = load_split("test")
    reader = load_reader(config.model, outputs)
    metrics = {name: read_json(outputs.metrics(name), made_by="evaluate") for name in EVALUATED}
    card = load_card().only(config.train.parts)
    golden = golden_answers(reader, golden_images(reader, load_split("validation").images[:N_GOLDEN_CANDIDATES]))
    history = read_history(outputs.plot("history.csv"))
    experiments = read_json(EXPERIMENTS, made_by="export` after `python -m pipeline.experiment_log")["experiments"]
    metadata = describe(config, card, reader, metrics, history, experiments)
    metadata |= {"golden": json.dumps(golden), "params_sha256": params_sha256(config)}
    model = convert(reader, config.export.opset, metadata)
    attach_network(model, reader, config.export.opset)
    batches = pictures(test.images, unpack(read_arrays(PREPARED / "test_drawings.npz", made_by="prepare")))
    expected = _joined([read_all(reader, batch) for batch in batches])

    def write_checked(path: Path) -> None:
        path.write_bytes(model.SerializeToString(deterministic=True))
        answers = run_file(path, batches)
        difference = compare(answers, expected, config.export.parity_tolerance)
        predicted = answers["probabilities"][: len(test.labels)].argmax(axis=1)
        accuracy = float((predicted == test.labels).mean())
        log.info(
            "the file: test accuracy %.2f %%, largest difference of a probability %.1e", 100 * accuracy, difference
        )
        figures = {
            "onnx_test_accuracy": accuracy,
            "onnx_bytes": path.stat().st_size,
            "onnx_nodes": len(model.graph.node),
        }
        write_json(outputs.metrics("export"), figures)
        with tracking.resume_run(outputs) as run:
            run.log_metrics(figures | {"parity_difference": difference})
            run.log_export(config.export.model_dump())
            example = test.images[:1]
            run.log_model(path, {"image": example}, run_file(path, [example]))

    write_atomic(outputs.model, write_checked)
    n_parameters = reader.network.count_params()
    write_card(outputs.model_card, outputs.model, n_parameters, config, card, reader.calibration, metrics)


def golden_images(reader: Reader, digits: np.ndarray) -> np.ndarray:
    """Pictures for the service's self-check, uint8 ``[n, 28, 28]``.

    Of each class the one that the reader is surest of; those that it is least sure of, whose answers any damage to the
    network moves; a few that are surely no digits, and a blank one.

    Args:
        reader: what the file is made of.
        digits: uint8 ``[n, 28, 28]``, validation images.
    """
    rng, shape = np.random.default_rng(SEED), (digits.shape[1], digits.shape[2])
    others = np.stack([draw_picture(FAMILIES[name], rng, digit_source([]), shape) for name in GOLDEN_FAMILIES])
    answers = read_all(reader, digits)
    surest = (answers["probabilities"] * answers["digit_score"][:, None]).argmax(axis=0)
    least_sure = answers["probabilities"].max(axis=1).argsort()[:N_GOLDEN]
    refused = read_all(reader, others)["digit_score"].argsort()[:N_GOLDEN]
    return np.concatenate([digits[surest], digits[least_sure], others[refused], np.zeros_like(digits[:1])])


def golden_answers(reader: Reader, images: np.ndarray) -> dict[str, Any]:
    """What the file has to say of golden images, as its metadata tells it; in digits that all machines agree on."""
    answers = read_all(reader, images)
    return {
        "images": base64.b64encode(images.tobytes()).decode("ascii"),
        "probabilities": answers["probabilities"].astype(np.float64).round(3).tolist(),
        "digit_score": answers["digit_score"].astype(np.float64).round(3).tolist(),
        "states": states(answers, reader.calibration.thresholds).tolist(),
    }


def pictures(test_images: np.ndarray, drawings: Sequence[Drawing]) -> list[np.ndarray]:
    """What the file and the evaluated reader have to agree on, in batches uint8 ``[n, height, width]``.

    All test images, all test drawings as the page would send them, and some things of each family that is no digit.
    """
    rng = np.random.default_rng(SEED)
    digits, shapes = digit_source(drawings), rng.integers(*StrokeRender().canvas_px, size=(N_OF_FAMILY, 2)).tolist()
    others = [draw_picture(family, rng, digits, tuple(shape))[None] for family in FAMILIES.values() for shape in shapes]
    return [*np.array_split(test_images, max(1, len(test_images) // BATCH)), *draw_cell(drawings, CELLS[0]), *others]


def run_file(path: Path, batches: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Answers of a model file, through the code that serves it; arrays as `Reader.read` names them.

    Raises:
        ParityError: that code does not take the file.
    """
    try:
        predictor = Predictor.load(path)
        predictor.check()
    except ModelError as error:
        raise ParityError(f"the converted file is not one that can be served: {error}") from error
    return _joined([vars(predictor.run(batch)) for batch in batches])


def _joined(answers: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in answers]) for name in answers[0]}


def compare(answers: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float) -> float:
    """Largest difference of a probability between the file's answers and the evaluated reader's.

    Raises:
        ParityError: it is larger than `tolerance`, or a class, the score, the 28x28 or the box differs.
    """
    found, wanted = answers["probabilities"], expected["probabilities"]
    n_changed = int((found.argmax(axis=1) != wanted.argmax(axis=1)).sum())
    difference = float(np.abs(found - wanted).max())
    if n_changed or not difference <= tolerance:
        raise ParityError(
            f"the file answers otherwise than the evaluated network, and was not kept: {n_changed} of {len(found)} "
            f"classes differ, a probability by up to {difference:.2g} (export.parity_tolerance allows {tolerance:g})"
        )
    for name, allowed in (("digit_score", tolerance), ("normalized", 1), ("box", 0)):
        gap = np.abs(answers[name].astype(np.float64) - expected[name].astype(np.float64)).max()
        if not gap <= allowed:
            raise ParityError(f"{name} differs by up to {gap:g} between the file and the evaluated network")
    return difference


if __name__ == "__main__":
    with true_end():
        run_stage(export)
