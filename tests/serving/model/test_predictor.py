"""The committed model reads drawings; other files are rejected."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.errors import ModelError
from serving.model.predictor import Prediction, Predictor
from serving.settings import ROOT
from tests.serving.conftest import MODEL
from tests.serving.drawings import STROKES, draw
from tests.serving.models import golden, with_metadata


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_a_drawn_digit_is_read_in_both_polarities(predictor: Predictor, digit: int, ink: int, paper: int) -> None:
    prediction = predictor.run(np.asarray(draw(digit, ink, paper))[None])
    assert int(prediction.probabilities[0].argmax()) == digit
    assert predictor.verdicts(prediction)[0].state == "digit"


@pytest.mark.parametrize(("height", "width", "level"), [(1, 1, 0), (1, 300, 128), (1024, 768, 255)])
def test_a_blank_image_of_any_size_is_blank(predictor: Predictor, height: int, width: int, level: int) -> None:
    prediction = predictor.run(np.full((1, height, width), level, np.uint8))
    assert prediction.digit_score[0] == 0
    assert prediction.box[0].tolist() == [0, 0, 0, 0]
    assert predictor.verdicts(prediction)[0].state == "blank"


def test_another_input_is_refused() -> None:
    content = MODEL.read_bytes().replace(b"\x05image", b"\x05pixel")
    with pytest.raises(ModelError, match=r"is not usable: .*pixel.*image"):
        Predictor.of(content, MODEL)


def test_other_classes_than_the_outputs_are_refused() -> None:
    content = with_metadata(classes='["a", "b", "c"]').replace(b"\x06golden", b"\x06silver")
    with pytest.raises(ModelError, match=r"output 'probabilities' is \('float32', 1, 10\) instead of .* 1, 3\)"):
        Predictor.of(content, MODEL)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("probabilities", lambda values: values[:, :9]),
        ("probabilities", lambda values: values.astype(np.float64)),
        ("digit_score", lambda values: values * np.nan),
        ("box", lambda values: values[:1]),  # a batch of one at most
        ("features", lambda values: values[:, 1:]),
    ],
)
def test_another_output_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    run = Predictor.run

    def otherwise(predictor: Predictor, images: np.ndarray, with_features: bool = False) -> Prediction:
        prediction = run(predictor, images, with_features)
        return replace(prediction, **{name: change(getattr(prediction, name))})

    monkeypatch.setattr(Predictor, "run", otherwise)
    with pytest.raises(ModelError, match=f"its output '{name}' is "):
        Predictor.of(MODEL.read_bytes(), MODEL)


SEVEN = np.asarray(draw(7).resize((28, 28)))
PAPER = np.full_like(SEVEN, 255)
SCRIBBLE = np.random.default_rng(0).integers(0, 256, SEVEN.shape, np.uint8)


def with_golden(predictor: Predictor, tmp_path: Path, **changes: object) -> Predictor:
    path = tmp_path / "golden.onnx"
    text = golden(predictor, np.stack([SEVEN, PAPER, SCRIBBLE]), **changes)
    path.write_bytes(with_metadata(golden=text))
    return Predictor.load(path)


def test_rounding_passes_the_self_check(predictor: Predictor, tmp_path: Path) -> None:
    said = predictor.run(np.stack([SEVEN, PAPER, SCRIBBLE]))
    rounded = said.probabilities.astype(np.float64).round(3).tolist()
    with_golden(predictor, tmp_path, probabilities=rounded)


@pytest.mark.parametrize(
    "changes",
    [
        {"states": ["unsure", "blank", "not_a_digit"]},
        {"digit_score": [1, 0.01, 0]},
        {"digit_score": [float("nan"), 0, 0]},
        {"probabilities": [[0.1] * 10] * 3},
    ],
)
def test_a_file_that_answers_otherwise_fails_it(
    predictor: Predictor, tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(ModelError, match="fails its self-check"):
        with_golden(predictor, tmp_path, **changes)


def test_onnxruntime_keeps_nothing_of_its_own_in_the_home_directory(tmp_path: Path) -> None:
    # Where CI is set, it would not do so anyway.
    environ = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    code = (
        f"from pathlib import Path; from serving.model.predictor import Predictor; Predictor.load(Path({str(MODEL)!r}))"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}, check=True)
    assert not list(tmp_path.iterdir())
