import copy
import hashlib
import re

import numpy as np
import pytest

from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.modelfile.card import write_card
from pipeline.network.calibration import Calibration
from pipeline.reader.model import Reader

STROKES = {
    "strokes_accuracy": 0.981, "strokes_accuracy_low": 0.971, "strokes_accuracy_high": 0.991, "strokes_errors": 31,
    "strokes_ece": 0.011, "strokes_refused": 0.012, "strokes_unsure": 0.013, "strokes_selective_accuracy": 0.994,
}  # fmt: skip
CHANGED = {
    "picture": "blur 2 px", "n": 4000, "accuracy": 0.61, "accuracy_low": 0.6, "accuracy_high": 0.62,
    "refused": 0.21, "wrong": 0.09, "still_right": 0.57, "still_right_low": 0.56, "still_right_high": 0.58,
}  # fmt: skip
REFUSED = {"refused": 0.345, "refused_low": 0.3, "refused_high": 0.4}
UNDISPUTED = {f"test_undisputed_{key}": value for key, value in (
    ("accuracy", 0.987), ("accuracy_low", 0.986), ("accuracy_high", 0.988), ("errors", 17),
)}  # fmt: skip
MATRICES = {"mnist": np.eye(10, dtype=int), "strokes": np.zeros((10, 10), int)}
MATRICES["mnist"][[9, 1], [4, 7]] = 71, 8
MATRICES["strokes"][4, 5] = 143
METRICS = {
    "test": {name.replace("strokes", "test"): value for name, value in STROKES.items()}
    | {"estimated_accuracy": 0.977, "share_called_digit": 0.966}
    | UNDISPUTED,
    "strokes": {"line_12_size_60_centred": STROKES},
    "details": {"confusion": {name: matrix.tolist() for name, matrix in MATRICES.items()}},
    "refusal": {
        "families": {
            "kana": {"is_held_out": True, "refused": 0.345, "digit": 0.456},
            "symbols": {"is_held_out": False, "refused": 0.111, "digit": 0.222},
            "hand_letters": REFUSED | {"is_held_out": False},
        },
        "held_out": {"letters": REFUSED},
        "pairs": {"0": REFUSED, "1": REFUSED | {"refused": 0.333}},
    },
    "robustness": {"blur_2": CHANGED},
    "steps": {"mass": {"label": "the box centred", "accuracy": 0.71, "accuracy_low": 0.69, "accuracy_high": 0.73}},
    "numbers": {
        "late_strokes": {
            f"{name}{end}": 0.943 for name in ("accuracy", "cut", "read") for end in ("", "_low", "_high")
        },
        "single": {f"became_number{end}": 0.0012 for end in ("", "_low", "_high")},
        "letters": {f"became_number{end}": 0.0834 for end in ("", "_low", "_high")},
    },
}
METRICS["memory"] = {
    "taught_2": {
        "drawings": 3218, "remembered": 20.0, "accuracy_before": 0.9871, "accuracy": 0.9961, "errors_before": 41,
        "errors": 13, "newly_wrong": 2, "refused_before": 7, "refused": 4, "others_refused_before": 0.955,
        "others_refused": 0.954,
    }
}  # fmt: skip
CONFIG = load_config()
DATA = DataCard(
    source="mnist", title="MNIST and others", train=4321, validation=321, test=999,
    parts={"train": {"mnist": 4000, "skeletons": 321}, "validation": {"mnist": 321}}, test_drawings=777,
    sha256={"train": "a" * 64, "test": "b" * 64}, parameters={},
)  # fmt: skip


@pytest.fixture
def card(tmp_path, reader):
    """Write a card from metrics and return its text."""
    file = tmp_path / "digits.onnx"
    file.write_bytes(b"a model")

    def written(metrics=METRICS, config=CONFIG):
        known = Reader(reader.network, Calibration(0.77, {"digit_score": 0.34, "confidence": 0.87}))
        write_card(tmp_path / "card.md", file, config, DATA, known, metrics)
        return (tmp_path / "card.md").read_text()

    return written


def test_the_card_contains_the_results(card, reader):
    text = card()
    for part in (
        hashlib.sha256(b"a model").hexdigest(), "7 bytes",
        f"{reader.network.count_params():,} weights", f"{reader.n_features} features on request",
        "4,000", "CC BY-SA 3.0", "drawn by this project", "777 pen drawings",
        "| late strokes | 94.3 % (94.3 to 94.3) |", "0.12 % (0.12 to 0.12) of the single digits",
        "98.10 % (97.10 to 99.10)", "98.70 % (98.60 to 98.80) | 17 |", "blur 2 px (57.0 %)",
        "on MNIST: 9 read as 4 (71 times), 1 read as 7 (8 times).", "on pen strokes: 4 read as 5 (143 times).",
        "kana (34.5 % refused, 45.6 % read as a digit)", "temperature of 0.77", "below 0.34", "below 0.87",
        "new drawings | 34.5 % (30.0 to 40.0) |", "| 1 | 33.3 % (30.0 to 40.0) |\n| 0 | 34.5 % (30.0 to 40.0) |",
    ):  # fmt: skip
        assert part in text
    assert "symbols (" not in text  # a family of the training is not a limit
    assert "learning_rate: 0.123" in card(config=load_config(["train.learning_rate=0.123"]))


def test_every_figure_comes_from_the_metrics(card):
    text = card()

    def leaves(values, path=()):
        for key, value in values.items():
            yield from leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]

    for path in leaves(METRICS):
        metrics = copy.deepcopy(METRICS)
        inner = metrics
        for key in path[:-1]:
            inner = inner[key]
        is_shown = path[1:3] != ("families", "hand_letters") or path[-1] != "is_held_out"
        if isinstance(inner[path[-1]], int | float) and "symbols" not in path and is_shown:
            inner[path[-1]] = not inner[path[-1]] if path[-1] == "is_held_out" else inner[path[-1]] / 2
            assert card(metrics) != text, path


def test_without_drawings_the_card_does_not_mention_strokes(card):
    details = {"confusion": {"mnist": np.eye(10).tolist()}}
    metrics = METRICS | {"strokes": {}, "steps": {}, "numbers": {}, "memory": {}, "details": details}
    metrics["refusal"] = METRICS["refusal"] | {"pairs": {}}
    before, figures = card(metrics).split("## How it was trained")
    limits = before.split("## Limits")[1]  # what stands before them is of every model
    assert not re.search("stroke|writers that|first digit", limits + figures.split("## Figures")[1])
    assert "Most frequent errors on MNIST: none." in limits
