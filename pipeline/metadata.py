"""What the model file says of itself; nothing in it depends on the clock, the machine or a run of this export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.architecture import definition, describe_layers
from pipeline.config import Config, flatten
from pipeline.data import DataCard
from pipeline.history import Epoch, kept_epoch
from pipeline.normalize import VERSION
from pipeline.reader import Reader

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")  # of an epoch


def describe(
    config: Config,
    card: DataCard,
    reader: Reader,
    metrics: Mapping[str, Mapping[str, Any]],
    history: Sequence[Epoch],
    experiments: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """The file's metadata, all but the golden answers and the hash of the parameters.

    Args:
        config: what it was trained with.
        card: of what it was trained on.
        reader: what it is made of.
        metrics: what `evaluate` wrote, by file: test, refusal, steps and details among them.
        history: of its training.
        experiments: as `experiment_log` wrote them.
    """
    network = reader.network
    values = {
        "parameters": config.model_dump(),
        "classes": [str(digit) for digit in range(10)],
        "thresholds": reader.calibration.thresholds,
        "temperature": reader.calibration.temperature,
        "data": {
            "source": card.source,
            "title": card.title,
            "train": card.train,
            "validation": card.validation,
            "test": card.test,
            "parts": card.parts,
            "test_drawings": card.test_drawings,
            "sha256": card.sha256,
        },
        "metrics": metrics["test"],
        "network": {
            "name": config.model.name,
            "n_parameters": network.count_params(),
            "layers": describe_layers(network),
            "definition": definition(network),
        },
        "training": _training(config, history),
        "evaluation": {
            **metrics["details"],
            "refusal": {"families": metrics["refusal"]["families"]},
            "steps": metrics["steps"],
        },
        "experiments": experiments,
    }
    return {name: json.dumps(value) for name, value in values.items()} | {"normalizer": VERSION}


def _training(config: Config, history: Sequence[Epoch]) -> dict[str, Any]:
    """The kept epoch and its figures, the recipe, and the figures of all epochs."""
    kept = kept_epoch(history, config.train.patience)
    recipe = {key.partition(".")[2]: value for key, value in flatten(config).items() if key.startswith("train.")}
    return {
        **_rounded(kept),
        "epochs": len(history),
        "parameters": config.model.model_dump(exclude={"name"}) | recipe,
        "history": [_rounded(epoch) for epoch in history],
    }


def _rounded(epoch: Epoch) -> dict[str, float]:
    figures = asdict(epoch)
    return {"epoch": epoch.epoch} | {name: round(figures[name], 6) for name in FIGURES}
