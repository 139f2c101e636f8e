"""The committed model reads drawings; other files are rejected."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.errors import ModelError
from serving.model.card import OUTPUTS, Thresholds
from serving.model.predictor import Prediction, Predictor, State
from serving.settings import ROOT
from tests.serving.conftest import MODEL
from tests.serving.drawings import STROKES, draw
from tests.serving.models import golden, with_damaged_weights, with_metadata


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_a_drawn_digit_is_read_in_both_polarities(predictor: Predictor, digit: int, ink: int, paper: int) -> None:
    prediction = predictor.run(np.asarray(draw(digit, ink, paper))[None])
    assert int(prediction.probabilities[0].argmax()) == digit
    assert predictor.state(float(prediction.digit_score[0]), float(prediction.probabilities[0].max())) == "digit"


def test_the_box_holds_the_ink(predictor: Predictor) -> None:
    image = np.full((1, 100, 200), 255, np.uint8)
    image[0, 20:70, 90:100] = 0
    left, top, right, bottom = predictor.run(image).box[0].tolist()
    assert (left, top, right, bottom) == pytest.approx((90, 20, 100, 70), abs=1)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (280, 280), (1024, 768)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_image_of_any_size_is_blank(predictor: Predictor, height: int, width: int, level: int) -> None:
    prediction = predictor.run(np.full((1, height, width), level, np.uint8))
    assert prediction.digit_score[0] == 0
    assert prediction.box[0].tolist() == [0, 0, 0, 0]
    assert predictor.state(float(prediction.digit_score[0]), float(prediction.probabilities[0].max())) == "blank"


@pytest.mark.parametrize(
    ("digit_score", "confidence", "state"),
    [
        (0.0, 0.1, "blank"),
        (0.0, 1.0, "blank"),
        (1e-9, 1.0, "not_a_digit"),
        (0.4999, 0.1, "not_a_digit"),
        (0.4999, 1.0, "not_a_digit"),
        (0.5, 0.1, "unsure"),
        (0.5, 0.8999, "unsure"),
        (1.0, 0.8999, "unsure"),
        (0.5, 0.9, "digit"),
        (0.8, 0.95, "digit"),
        (1.0, 1.0, "digit"),
    ],
)
def test_the_state_follows_the_thresholds_of_the_file(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, digit_score: float, confidence: float, state: State
) -> None:
    monkeypatch.setattr(predictor, "card", replace(predictor.card, thresholds=Thresholds(0.5, 0.9)))
    assert predictor.state(digit_score, confidence) == state


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx cannot be read: No such file"):
        Predictor.load(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50])
def test_a_file_that_is_not_a_model_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        Predictor.load(path)


# Names of equal length, so that the file stays a valid ONNX model.
@pytest.mark.parametrize(("old", "new"), [(b"digit_score", b"digit_scope"), (b"thresholds", b"thresholdx")])
def test_another_model_is_refused(predictor: Predictor, tmp_path: Path, old: bytes, new: bytes) -> None:
    from tests.serving.conftest import MODEL

    path = tmp_path / "other.onnx"
    path.write_bytes(MODEL.read_bytes().replace(old, new))
    with pytest.raises(ModelError, match=rf"not a digits model: .*{old.decode()}"):
        Predictor.load(path)


SEVEN = np.asarray(draw(7).resize((28, 28)))
PAPER = np.full_like(SEVEN, 255)
SCRIBBLE = np.random.default_rng(0).integers(0, 256, SEVEN.shape, np.uint8)


def with_golden(predictor: Predictor, tmp_path: Path, **changes: object) -> Predictor:
    """The model with other golden answers, for a seven, empty paper, and no digit."""
    path = tmp_path / "golden.onnx"
    text = golden(predictor, np.stack([SEVEN, PAPER, SCRIBBLE]), **changes)
    path.write_bytes(with_metadata(golden=text))
    return Predictor.load(path)


def test_a_good_file_passes_its_self_check(predictor: Predictor, tmp_path: Path) -> None:
    predictor.check()
    with_golden(predictor, tmp_path).check()


def test_rounding_passes_the_self_check(predictor: Predictor, tmp_path: Path) -> None:
    said = predictor.run(np.stack([SEVEN, PAPER, SCRIBBLE]))
    rounded = said.probabilities.astype(np.float64).round(3).tolist()
    with_golden(predictor, tmp_path, probabilities=rounded).check()


@pytest.mark.parametrize(
    "changes",
    [
        {"states": ["unsure", "blank", "not_a_digit"]},
        {"states": ["digit", "blank", "anything"]},
        {"digit_score": [1, 0.01, 0]},
        {"digit_score": [float("nan"), 0, 0]},
        {"probabilities": [[0.1] * 10] * 3},
    ],
)
def test_a_file_that_answers_otherwise_fails_it(
    predictor: Predictor, tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(ModelError, match="fails its self-check"):
        with_golden(predictor, tmp_path, **changes).check()


def test_damaged_weights_fail_the_self_check(tmp_path: Path) -> None:
    path = tmp_path / "damaged.onnx"
    path.write_bytes(with_damaged_weights())
    damaged = Predictor.load(path)
    damaged.warm()
    with pytest.raises(ModelError, match=f"{damaged.card.version} fails its self-check"):
        damaged.check()


def test_the_verdicts_of_a_batch(predictor: Predictor) -> None:
    prediction = predictor.run(np.stack([SEVEN, PAPER, SCRIBBLE]))
    verdicts = predictor.verdicts(prediction)
    assert [verdict.state for verdict in verdicts] == ["digit", "blank", "not_a_digit"]
    assert verdicts[0].digit == 7
    for verdict, probabilities, score in zip(verdicts, prediction.probabilities, prediction.digit_score, strict=True):
        assert verdict.digit == probabilities.argmax()
        assert verdict.confidence == probabilities.max()
        assert verdict.digit_score == score


def test_parts_are_joined_to_the_whole(predictor: Predictor) -> None:
    whole = predictor.run(np.stack([SEVEN, PAPER, SCRIBBLE]))
    joined = Prediction.joined([whole.part(0, 2), whole.part(2, 3)])
    for tensor in OUTPUTS:
        assert np.array_equal(getattr(joined, tensor.name), getattr(whole, tensor.name))


def test_onnxruntime_keeps_nothing_of_its_own_in_the_home_directory(tmp_path: Path) -> None:
    # Where CI is set, it would not do so anyway.
    environ = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    code = (
        f"from pathlib import Path; from serving.model.predictor import Predictor; Predictor.load(Path({str(MODEL)!r}))"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}, check=True)
    assert not list(tmp_path.iterdir())
