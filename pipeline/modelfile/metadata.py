"""The network as its card tells it: layer by layer, and as the Keras code that builds it; read off the built one."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import keras

from pipeline.config.schema import Config
from pipeline.config.values import flatten
from pipeline.dataset.splits import DataCard
from pipeline.ink.normalize import VERSION
from pipeline.network.history import Epoch, kept_epoch
from pipeline.reader.model import Reader

FRAME = """import keras
from keras import layers

network = keras.Sequential(
    [
        keras.Input({shape}),
{layers}
    ]
)
"""


def layer_names(network: keras.Sequential) -> list[str]:
    """Kind and number, such as "conv2d_1": Keras's own names count what else a process has built."""
    counts: Counter[str] = Counter()
    names = []
    for layer in network.layers:
        kind = type(layer).__name__.lower()
        counts[kind] += 1
        names.append(f"{kind}_{counts[kind]}")
    return names


def describe_layers(network: keras.Sequential) -> list[dict[str, Any]]:
    """What the layers are, in their order.

    Of each ``name``; ``kind``, Keras's class; ``shape`` of its output, without the batch; ``n_parameters``;
    ``activation``, null where there is none; ``detail``, what its kind leaves open, such as "3x3", or null.
    """
    described = []
    for name, layer in zip(layer_names(network), network.layers, strict=True):
        config = layer.get_config()
        window = config.get("kernel_size") or config.get("pool_size")
        detail = "x".join(map(str, window)) if window else None
        activation = config.get("activation")
        described.append(
            {
                "name": name,
                "kind": type(layer).__name__,
                "shape": list(layer.output.shape[1:]),
                "n_parameters": layer.count_params(),
                "activation": None if activation == "linear" else activation,
                "detail": f"{config['rate']:g}" if isinstance(layer, keras.layers.Dropout) else detail,
            }
        )
    return described


def definition(network: keras.Sequential) -> str:
    """Python that builds the network, untrained, as ``network``; arguments at their defaults are left out."""
    calls = "\n".join(f"        layers.{_call(layer)}," for layer in network.layers)
    return FRAME.format(shape=network.input_shape[1:], layers=calls)


def _call(layer: keras.Layer) -> str:
    config = layer.get_config()
    parameters = inspect.signature(type(layer)).parameters
    arguments = []
    for name, parameter in parameters.items():
        if name == "name" or parameter.kind is inspect.Parameter.VAR_KEYWORD or name not in config:
            continue
        if parameter.default is inspect.Parameter.empty:
            arguments.append(_literal(config[name]))
        elif type(layer).from_config({key: config[key] for key in config if key != name}).get_config() != config:
            arguments.append(f"{name}={_literal(config[name])}")
    return f"{type(layer).__name__}({', '.join(arguments)})"


def _literal(value: object) -> str:
    """An argument as one types it: a square window as its side, an initialiser by its name."""
    if isinstance(value, dict):
        value = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value["class_name"]).lower()
    if isinstance(value, (list, tuple)) and len(set(value)) == 1:
        value = value[0]
    return f'"{value}"' if isinstance(value, str) else repr(value)


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
