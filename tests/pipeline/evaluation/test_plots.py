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
PERTURBED = {
    "picture": "blur 1 px", "perturbation": "blur", "right": 0.8, "wrong": 0.1, "unsure": 0.1, "refused": 0.0,
    "accuracy": 0.85, "accuracy_low": 0.8, "accuracy_high": 0.9,
}  # fmt: skip
WORST = [Mistake("MNIST", 7, 9, 4, 0.99, "digit"), Mistake("pen strokes", 2, 1, 7, 0.8, "unsure")]
FAMILIES = {
    "trained": STATES | {"is_held_out": False, "refused": 0.1},
    "better": STATES | {"is_held_out": True, "refused": 0.9},
    "worse": STATES | {"is_held_out": True, "refused": 0.2},
}
FIGURES = {
    "confusion": lambda: plots.confusion(np.eye(10, k=1, dtype=int), "MNIST"),
    "no confusion": lambda: plots.confusion(np.zeros((10, 10), int), "Pen strokes"),
    "reliability": lambda: plots.reliability({"MNIST": BINS, "pen strokes": BINS}),
    "refusal": lambda: plots.refusal(FAMILIES),
    "robustness": lambda: plots.robustness({"blur_1": PERTURBED, "noise": PERTURBED | {"perturbation": "noise"}}),
    "mistakes": lambda: plots.mistakes(WORST, [np.eye(28, dtype=np.uint8) * 255] * 2),
    "no mistakes": lambda: plots.mistakes([], []),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_files_are_identical_and_have_no_metadata(name, tmp_path):
    for file in ("first.png", "second.png"):
        save_figure(FIGURES[name](), tmp_path / file)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    with Image.open(tmp_path / "first.png") as picture:
        assert set(picture.info) == {"dpi"}


def test_labels():
    (axes,) = FIGURES["refusal"]().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worse", "better", "trained"]
    labels = [axes.get_xlabel() for axes in FIGURES["mistakes"]().axes[:2]]
    assert labels == ["9 → 4, 99.0 %", "1 → 7, 80.0 %"]
