import copy
import hashlib

import pytest

from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.modelfile.card import write_card
from pipeline.network.calibration import Calibration

STROKES = {
    "strokes_accuracy": 0.981, "strokes_accuracy_low": 0.971, "strokes_accuracy_high": 0.991, "strokes_errors": 31,
    "strokes_ece": 0.011, "strokes_refused": 0.012, "strokes_unsure": 0.013, "strokes_selective_accuracy": 0.994,
}  # fmt: skip
SPOILT = {
    "picture": "blur 2 px", "accuracy": 0.61, "accuracy_low": 0.6, "accuracy_high": 0.62,
    "refused": 0.21, "wrong": 0.09,
}  # fmt: skip
METRICS = {
    "test": {name.replace("strokes", "test"): value for name, value in STROKES.items()},
    "strokes": {"line_12_size_60_centred": STROKES},
    "confusions": {"mnist": {"9_as_4": 71}, "strokes": {"4_as_5": 143}},
    "refusal": {
        "families": {
            "kana": {"is_held_out": True, "refused": 0.345, "digit": 0.456},
            "symbols": {"is_held_out": False, "refused": 0.111, "digit": 0.222},
        },
        "held_out": {"letters": {"refused": 0.345, "refused_low": 0.3, "refused_high": 0.4}},
    },
    "robustness": {"blur_2": SPOILT},
    "steps": {"mass": {"label": "the box centred", "accuracy": 0.71, "accuracy_low": 0.69, "accuracy_high": 0.73}},
}
CONFIG = load_config()
DATA = DataCard(
    source="mnist", title="MNIST and others", train=4321, validation=321, test=999,
    parts={"train": {"mnist": 4000, "skeletons": 321}, "validation": {"mnist": 321}}, test_drawings=777,
    sha256={"train": "a" * 64, "test": "b" * 64}, parameters={},
)  # fmt: skip


@pytest.fixture
def card(tmp_path):
    """Write a card from metrics and return its text."""
    file = tmp_path / "digits.onnx"
    file.write_bytes(b"a model")

    def written(metrics=METRICS, config=CONFIG):
        calibration = Calibration(0.77, {"digit_score": 0.34, "confidence": 0.87})
        write_card(tmp_path / "card.md", file, 12345, config, DATA, calibration, metrics)
        return (tmp_path / "card.md").read_text()

    return written


def test_the_card_contains_the_results(card):
    text = card()
    for part in (
        hashlib.sha256(b"a model").hexdigest(), "7 bytes", "12,345 weights",
        "4,000", "CC BY-SA 3.0", "drawn by this project", "777 pen drawings",
        "98.10 % (97.10 to 99.10)", "9 as 4 (71 times)", "4 as 5 (143 times)", "blur 2 px (61.0 % right)",
        "kana (34.5 % refused, 45.6 % called a digit)", "temperature of 0.77", "below 0.34", "below 0.87",
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
        if isinstance(inner[path[-1]], int | float) and "symbols" not in path:
            inner[path[-1]] = not inner[path[-1]] if path[-1] == "is_held_out" else inner[path[-1]] / 2
            assert card(metrics) != text, path


def test_without_drawings_the_card_does_not_mention_strokes(card):
    metrics = METRICS | {"strokes": {}, "steps": {}, "confusions": {"mnist": {}, "strokes": {}}}
    before_figures, figures = card(metrics).split("## How it was trained")
    assert "stroke" not in before_figures + figures.split("## Figures")[1]
    assert "Mistaken most often, MNIST: none." in before_figures
