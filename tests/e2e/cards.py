"""The card of a model that does not exist."""

import base64
import copy
from typing import Any

Card = dict[str, Any]


def other_card(card: Card) -> Card:
    """Return a copy in which every tested figure is different."""
    other = copy.deepcopy(card)
    other["version"] = "ffffffffffff"
    parts = {"train": {"mnist": 4000}, "validation": {"mnist": 700}}
    other["data"] |= {"train": 4321, "validation": 765, "test": 987, "test_drawings": 654, "parts": parts}
    other["metrics"] |= {"test_accuracy": 0.9123, "test_accuracy_low": 0.8931, "test_accuracy_high": 0.9288}
    other["metrics"] |= {"test_errors": 87, "test_loss": 0.3217, "test_ece": 0.0456, "refused_letters": 0.6543}
    other["metrics"] |= {"strokes_accuracy": 0.8765, "strokes_ece": 0.0789}
    layer = {"name": "dense", "kind": "Dense", "shape": [10], "n_parameters": 7851, "activation": None, "detail": None}
    layers = [layer | {"name": "flatten", "kind": "Flatten", "n_parameters": 0}, layer]
    other["parameters"] = {"model": {"name": "tiny"}, "train": {"batch_size": 77, "augment": {}}}
    other["network"] = {"n_parameters": 7851, "layers": layers, "definition": "layers.Dense(10)\n"}
    history = [{"epoch": k, "loss": 1 / k, "accuracy": 0.5, "val_loss": 2 / k, "val_accuracy": 0.9} for k in (1, 2, 3)]
    other["training"] = {"epoch": 2, "history": history}
    counts = [[93 if actual == predicted else 0 for predicted in range(10)] for actual in range(10)]
    counts[8][3] = 7
    family = {"kind": "letters", "is_held_out": True, "digit": 0.234, "unsure": 0.1, "not_a_digit": 0.666, "blank": 0}
    family |= {"refused": 0.666, "refused_low": 0.6, "refused_high": 0.73}
    mistake = {"source": "MNIST", "image": 5, "actual": 8, "predicted": 3, "confidence": 0.7654, "state": "digit"}
    other["evaluation"] |= {
        "confusion": {"mnist": counts, "strokes": counts},
        "mistakes": [mistake | {"pixels": base64.b64encode(bytes(range(256)) * 3 + bytes(16)).decode()}],
        "refusal": {"families": {"runes": family}},
    }
    for number, step in enumerate(other["evaluation"]["steps"].values()):
        accuracy = 0.31 + number / 100
        step |= {"accuracy": accuracy, "accuracy_low": accuracy - 0.01, "accuracy_high": accuracy + 0.01}
    return other
