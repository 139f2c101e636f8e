import numpy as np
import pytest
from PIL import Image

from pipeline.base.figures import save_figure
from pipeline.evaluation import plots
from pipeline.evaluation.mistakes import Mistake
from pipeline.evaluation.statistics import Bin

BINS = [Bin(0.933333, 1.0, 2, 0.97, 0.5, 0.1, 0.9)]
STATES = {
    "digit": 0.2, "unsure": 0.1, "not_a_digit": 0.7, "blank": 0.0,
    "refused": 0.7, "refused_low": 0.6, "refused_high": 0.8,
}  # fmt: skip
SPOILT = {
    "picture": "blur 1 px", "perturbation": "blur", "right": 0.8, "wrong": 0.1, "unsure": 0.1, "refused": 0.0,
    "accuracy": 0.85, "accuracy_low": 0.8, "accuracy_high": 0.9,
}  # fmt: skip
WORST = [Mistake("MNIST", 7, 9, 4, 0.99, "digit"), Mistake("pen strokes", 2, 1, 7, 0.8, "unsure")]
IMAGES = [np.eye(28, dtype=np.uint8) * 255] * 2

FIGURES = {
    "confusion": lambda: plots.confusion(np.eye(10, k=1, dtype=int), "MNIST"),
    "no confusion": lambda: plots.confusion(np.zeros((10, 10), int), "Pen strokes"),
    "reliability": lambda: plots.reliability({"MNIST": BINS, "pen strokes": BINS}),
    "reliability of one": lambda: plots.reliability({"MNIST": BINS}),
    "refusal": lambda: plots.refusal(
        {"letters": STATES | {"is_held_out": False}, "kana": STATES | {"is_held_out": True}}
    ),
    "robustness": lambda: plots.robustness({"blur_1": SPOILT, "noise": SPOILT | {"perturbation": "noise"}}),
    "mistakes": lambda: plots.mistakes(WORST, IMAGES),
    "no mistakes": lambda: plots.mistakes([], []),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_repeats_to_the_byte_and_carries_no_metadata(name, tmp_path):
    for file in ("first.png", "second.png"):
        save_figure(FIGURES[name](), tmp_path / file)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    with Image.open(tmp_path / "first.png") as picture:
        assert set(picture.info) == {"dpi"}


def test_the_least_refused_held_out_family_is_on_top():
    families = {
        "trained": STATES | {"is_held_out": False, "refused": 0.1},
        "better": STATES | {"is_held_out": True, "refused": 0.9},
        "worse": STATES | {"is_held_out": True, "refused": 0.2},
    }
    (axes,) = plots.refusal(families).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worse", "better", "trained"]


def test_under_each_mistake_stands_what_it_is_and_what_it_was_taken_for():
    figure = plots.mistakes(WORST, IMAGES)
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["9 → 4, 99.0 %", "1 → 7, 80.0 %"]
