"""The network as its card tells it: layer by layer, and as the Keras code that builds it; read off the built one."""

import inspect
import re
from collections import Counter
from typing import Any

import keras

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
