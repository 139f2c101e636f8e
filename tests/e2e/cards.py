"""Cards of models that don't exist, for tests of what the page makes of a card."""

import base64
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

ROOT = Path(__file__).parents[2]
N_DIGITS = 10

Card = dict[str, Any]

LAYERS = [
    ("conv2d", "Conv2D", [26, 26, 16], 160, "relu", "3x3"),
    ("conv2d_1", "Conv2D", [24, 24, 32], 4640, "relu", "3x3"),
    ("max_pooling2d", "MaxPooling2D", [12, 12, 32], 0, None, "2x2"),
    ("conv2d_2", "Conv2D", [10, 10, 64], 18496, "relu", "3x3"),
    ("conv2d_3", "Conv2D", [8, 8, 96], 55392, "relu", "3x3"),
    ("max_pooling2d_1", "MaxPooling2D", [4, 4, 96], 0, None, "2x2"),
    ("conv2d_4", "Conv2D", [2, 2, 128], 110720, "relu", "3x3"),
    ("flatten", "Flatten", [512], 0, None, None),
    ("dropout", "Dropout", [512], 0, None, "0.5"),
    ("dense", "Dense", [11], 5643, None, None),
]


def full_card() -> Card:
    """A card with every field, of this repository's figures; only the pixels of the misread images are made up."""
    metrics = _load("metrics/test.json")
    history = [{key: float(value) for key, value in row.items()} for row in _rows("plots/history.csv")]
    layers = [
        {"name": name, "kind": kind, "shape": shape, "n_parameters": n, "activation": activation, "detail": detail}
        for name, kind, shape, n, activation, detail in LAYERS
    ]
    return {
        "name": "digits",
        "version": "0a1b2c3d4e5f",
        "data": {
            "title": "MNIST and pen strokes",
            "train": 115992,
            "validation": 9992,
            "test": 10000,
            "test_drawings": 3498,
            "parts": {"train": {"mnist": 54000, "pendigits": 25992}, "validation": {"mnist": 6000}},
        },
        "metrics": metrics,
        "network": {
            "name": "inkling",
            "n_parameters": 195051,
            "layers": layers,
            "definition": "keras.Sequential([\n    keras.Input((28, 28, 1)),\n    layers.Conv2D(16, 3),\n])\n",
        },
        "training": {
            "epoch": 16,
            "epochs": 16,
            "parameters": {
                "dropout": 0.5,
                "batchnorm": False,
                "parts": ["mnist"],
                "optimizer": "muon",
                "augment.blur": 0.5,
            },
            "history": history,
        },
        "evaluation": {
            "confusion": {
                "mnist": _confusion("plots/confusion.csv"),
                "strokes": _confusion("plots/confusion_strokes.csv"),
            },
            "reliability": [
                {key: value if key == "test" else float(value) for key, value in row.items()}
                for row in _rows("plots/reliability.csv")
            ],
            "refusal": {"families": _load("metrics/refusal.json")["families"]},
            "mistakes": [_mistake(row) for row in _rows("plots/mistakes.csv")],
        },
        "experiments": [
            experiment("baseline", learning_rate=0.001, test_accuracy=0.9915, published=0.9927, seconds=54),
            experiment("high_lr", learning_rate=0.05, test_accuracy=0.1135, published=0.1028, seconds=111),
            experiment("tiny_batch", batch_size=8, test_accuracy=0.9924, published=None, seconds=176),
        ],
    }


def other_card() -> Card:
    """A card of another model: no figure of it is one of `full_card`."""
    card = full_card()
    card["version"] = "ffffffffffff"
    card["data"] |= {"train": 4321, "validation": 765, "test": 987, "test_drawings": 654, "parts": {}}
    card["metrics"] = {
        "test_accuracy": 0.9123,
        "test_accuracy_low": 0.8931,
        "test_accuracy_high": 0.9288,
        "test_errors": 87,
        "test_loss": 0.3217,
        "test_ece": 0.0456,
        "test_refused": 0.0321,
        "refused_letters": 0.6543,
        "strokes_accuracy": 0.8765,
        "strokes_worst_accuracy": 0.8543,
        "strokes_ece": 0.0789,
        "strokes_refused": 0.0213,
    }
    card["network"] = {
        "name": "tiny",
        "n_parameters": 7851,
        "layers": [
            {
                "name": "flatten",
                "kind": "Flatten",
                "shape": [784],
                "n_parameters": 0,
                "activation": None,
                "detail": None,
            },
            {"name": "dense", "kind": "Dense", "shape": [10], "n_parameters": 7851, "activation": None, "detail": None},
        ],
        "definition": "keras.Sequential([layers.Flatten(), layers.Dense(10)])\n",
    }
    card["training"] = {"epoch": 2, "epochs": 3, "parameters": {"batch_size": 77}, "history": _falling(3)}
    right = [[93 if actual == predicted else 0 for predicted in range(N_DIGITS)] for actual in range(N_DIGITS)]
    right[8][3] = 7
    card["evaluation"] |= {
        "confusion": {"mnist": right, "strokes": right},
        "mistakes": [_mistake({"source": "MNIST", "image": 5, "actual": 8, "predicted": 3, "confidence": 0.7654})],
        "refusal": {
            "families": {
                "runes": {
                    "kind": "letters",
                    "is_held_out": True,
                    "digit": 0.234,
                    "unsure": 0.1,
                    "not_a_digit": 0.666,
                    "refused": 0.666,
                    "refused_low": 0.6,
                    "refused_high": 0.73,
                }
            }
        },
    }
    card["experiments"] = [experiment("lonely", learning_rate=0.123, test_accuracy=0.7531, published=None, seconds=9)]
    return card


def bare_card() -> Card:
    """A card of a model file that tells the least."""
    return {"name": "digits", "version": "000000000000", "network": {"name": "inkling", "n_parameters": 195051}}


def experiment(name: str, *, test_accuracy: float, published: float | None, seconds: float, **changes: float) -> Card:
    """A row of the experiments' table."""
    return {
        "experiment": name,
        "hypothesis": f"What {name} should show.",
        "learning_rate": 0.001,
        "batch_size": 64,
        "dropout": 0.25,
        "augmentation": False,
        "batchnorm": False,
        "val_accuracy": test_accuracy - 0.0007,
        "test_accuracy": test_accuracy,
        "test_accuracy_low": test_accuracy - 0.002,
        "test_accuracy_high": test_accuracy + 0.0016,
        "published": published,
        "epochs": 9,
        "seconds": seconds,
        "finding": f"What {name} showed.",
    } | changes


def serve_card(page: Page, make: Callable[[], Card]) -> None:
    """Have the service tell this card from now on, and load the page anew."""

    def fulfil(route: Route) -> None:
        route.fulfill(json=make())

    page.route("**/api/model", fulfil)
    page.reload()


def _load(path: str) -> Card:
    return json.loads((ROOT / path).read_text())


def _rows(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(newline="") as file:
        return list(csv.DictReader(file))


def _confusion(path: str) -> list[list[int]]:
    counts = [[0] * N_DIGITS for _ in range(N_DIGITS)]
    for row in _rows(path):
        counts[int(row["actual"])][int(row["predicted"])] += 1
    return counts


def _mistake(row: dict[str, Any]) -> Card:
    pixels = bytes(
        255 if 8 <= x < 20 and y % (2 + int(row["actual"])) == 0 else 0 for y in range(28) for x in range(28)
    )
    return {
        "source": row["source"],
        "image": int(row["image"]),
        "actual": int(row["actual"]),
        "predicted": int(row["predicted"]),
        "confidence": float(row["confidence"]),
        "state": row.get("state", "digit"),
        "pixels": base64.b64encode(pixels).decode(),
    }


def _falling(n: int) -> list[Card]:
    steps = range(1, n + 1)
    return [{"epoch": k, "loss": 1 / k, "accuracy": 1 - 0.5**k, "val_loss": 2 / k, "val_accuracy": 0.9} for k in steps]
