"""The metadata of the model file, with the network described layer by layer and as Keras code."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import keras

from pipeline.base.classes import CLASSES
from pipeline.config.schema import Config
from pipeline.dataset.splits import DataCard
from pipeline.ink.normalize import VERSION
from pipeline.network.history import Epoch, kept_epoch
from pipeline.reader.model import Reader

SEQUENTIAL = """import keras
from keras import layers

network = keras.Sequential(
    [
        keras.Input({shape}),
{layers}
    ]
)
"""
FUNCTIONAL = """import keras
from keras import layers

inputs = keras.Input({shape})
{layers}
network = keras.Model(inputs, {output})
"""


def named_layers(network: keras.Model) -> dict[str, keras.Operation]:
    """Return the layers, and functions of `keras.ops` between them, by kind and number, such as "conv2d_1".

    Keras's own names depend on the other layers that a process has built.
    """
    counts: Counter[str] = Counter()
    named = {}
    for layer in network.layers if isinstance(network, keras.Sequential) else network.operations:
        if not isinstance(layer, keras.layers.InputLayer):
            kind = type(layer).__name__.lower()
            counts[kind] += 1
            named[f"{kind}_{counts[kind]}"] = layer
    return named


def inputs_of(layer: keras.Operation, named: Mapping[str, keras.Operation]) -> list[str]:
    """Return the names of the layers whose outputs a layer takes; "inputs" is the network's input."""
    names = {id(other.output): name for name, other in named.items()}
    return [names.get(id(tensor), "inputs") for tensor in keras.tree.flatten(layer.input)]


def describe_layers(network: keras.Model) -> list[dict[str, Any]]:
    """Describe the layers in the order of computation.

    Returns:
        One dict for each layer:

        - ``name``, ``kind`` (the class) and ``n_parameters``.
        - ``shape``: of the output, without the batch.
        - ``activation``: null if there is none.
        - ``detail``: for example "3x3" or "4x4, stride 2", or null.
        - ``inputs``: result of `inputs_of`; absent if the only input is the output of the previous layer.
    """
    described = []
    before, named = "inputs", named_layers(network)
    for name, layer in named.items():
        config = layer.get_config()
        window = config.get("kernel_size") or config.get("pool_size")
        detail = "x".join(map(str, window)) if window else None
        if "kernel_size" in config and (stride := max(config["strides"])) > 1:
            detail = f"{detail}, stride {stride}"
        activation = config.get("activation")
        inputs = inputs_of(layer, named)
        described.append(
            {
                "name": name,
                "kind": type(layer).__name__,
                "shape": list(layer.output.shape[1:]),
                "n_parameters": layer.count_params() if isinstance(layer, keras.Layer) else 0,
                "activation": None if activation == "linear" else activation,
                "detail": f"{config['rate']:g}" if isinstance(layer, keras.layers.Dropout) else detail,
            }
            | ({} if inputs == [before] else {"inputs": inputs})
        )
        before = name
    return described


def definition(network: keras.Model) -> str:
    """Return Python code that builds the network, untrained, as ``network``. Default arguments are left out."""
    shape, named = network.input_shape[1:], named_layers(network)
    if isinstance(network, keras.Sequential):
        calls = "\n".join(f"        {_call(layer)}," for layer in named.values())
        return SEQUENTIAL.format(shape=shape, layers=calls)
    tensors = {id(layer.output): name for name, layer in named.items()} | {id(network.inputs[0]): "inputs"}
    lines = "\n".join(f"{name} = {_applied(layer, tensors)}" for name, layer in named.items())
    return FUNCTIONAL.format(shape=shape, layers=lines, output=tensors[id(network.outputs[0])])


def _applied(layer: keras.Operation, tensors: Mapping[int, str]) -> str:
    """Return the call of a layer, or of a function of `keras.ops`, on its inputs."""
    given = layer._inbound_nodes[0].arguments
    arguments = [_source(value, tensors) for value in given.args]
    arguments += [f"{name}={_source(value, tensors)}" for name, value in given.kwargs.items() if value is not None]
    if isinstance(layer, keras.Layer):
        return f"{_call(layer)}({', '.join(arguments)})"
    return f"keras.ops.{_snake_case(type(layer).__name__)}({', '.join([*arguments, *_arguments(layer)])})"


def _source(value: object, tensors: Mapping[int, str]) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_source(item, tensors) for item in value)}]"
    return tensors[id(value)] if isinstance(value, keras.KerasTensor) else repr(value)


def _call(layer: keras.Layer) -> str:
    return f"layers.{type(layer).__name__}({', '.join(_arguments(layer))})"


def _arguments(layer: keras.Operation) -> list[str]:
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
    return arguments


def _literal(value: object) -> str:
    """Return the short Python form of an argument: one number for a square window, the name of an initialiser."""
    if isinstance(value, dict):
        value = _snake_case(value["class_name"])
    if isinstance(value, (list, tuple)) and len(set(value)) == 1:
        value = value[0]
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def describe(
    config: Config,
    card: DataCard,
    reader: Reader,
    metrics: Mapping[str, Mapping[str, Any]],
    history: Sequence[Epoch],
) -> dict[str, str]:
    """Return the metadata of the file, without the golden answers and the hash of the parameters.

    The recipe is only in ``parameters``, and the figures of the kept epoch only in the history.

    Args:
        config: the parameters of the training.
        card: the card of the training data.
        reader: the reader that becomes the file.
        metrics: metrics of `evaluate` by file, at least test, refusal, steps and details.
        history: figures of the training.
    """
    network = reader.network
    values = {
        "parameters": config.model_dump(),
        "classes": CLASSES,
        "thresholds": reader.calibration.thresholds,
        "number": config.number.model_dump(),
        "memory": config.memory.model_dump(),
        "data": {name: value for name, value in asdict(card).items() if name not in ("parameters", "source")},
        "metrics": metrics["test"],
        "network": {
            "n_parameters": network.count_params(),
            "layers": describe_layers(network),
            "definition": definition(network),
        },
        "training": {
            "epoch": kept_epoch(history, config.train.patience).epoch,
            "history": [_rounded(epoch) for epoch in history],
        },
        "evaluation": {
            **metrics["details"],
            "refusal": {"families": metrics["refusal"]["families"]},
            "steps": metrics["steps"],
        },
    }
    return {name: json.dumps(value) for name, value in values.items()} | {"normalizer": VERSION}


def _rounded(epoch: Epoch) -> dict[str, float]:
    return {name: round(value, 6) for name, value in asdict(epoch).items() if name != "learning_rate"}
