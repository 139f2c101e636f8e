"""Add the network without the normaliser to the model file, with feature maps as outputs.

Protobuf parses two concatenated messages as one message with the list items of both. The metadata of the model file
contains a fragment: a message with only the additional nodes, input and outputs. The bytes of the file followed by the
fragment are a second model. It has one more input, `grids`, and more outputs, and shares the weights of the file.
Predictions use only the file, so they cost the same as before.
"""

import base64
import json
from collections.abc import Mapping

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import GraphProto, ModelProto, helper, numpy_helper

from pipeline.base.classes import N_CLASSES
from pipeline.ink.normalize import GRID
from pipeline.modelfile.metadata import inputs_of, named_layers
from pipeline.modelfile.onnx_graph import trace
from pipeline.reader.model import Reader, to_input

KEY = "network_alone"  # key in the metadata
PREFIX = "alone_"  # all names in the fragment start with it; no name in the file does
SIGNATURE = [tf.TensorSpec([None, GRID, GRID], tf.uint8, name="grids")]
MAP_REPLACING = (
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
)  # their maps replace those of the layer before them


def attach_network(model: ModelProto, reader: Reader, opset: int) -> None:
    """Add the fragment for the reader's network to the model's metadata, as JSON under the key `network_alone`.

    The JSON contains:

    - ``fragment``: in base64.
    - ``input``: name of the input, grids uint8 ``[n, 28, 28]``, 255 = ink.
    - ``probabilities``, ``digit_score``: names of these outputs.
    - ``layers``: for each layer with feature maps, ``name`` and ``kind`` as in `describe_layers`, and ``output``, the
      name of the maps, float32 ``[n, channels, height, width]``. A convolution of the grids, or of the maps of another
      of these layers, also has ``reads``, that layer's name or "inputs", ``stride``, and ``kernels``, the name of its
      kernels, float32 ``[channels, channels read, height, width]``.

    Args:
        model: result of `onnx_graph.convert` for the reader and the opset; changed in place.
        reader: the reader.
        opset: the ONNX opset.
    """
    layers = mapping_layers(reader.network)
    fragment = make_fragment(model, reader, layers, opset)
    kernels = add_kernels(fragment.graph, model.graph, reader.network, layers)
    content = fragment.SerializeToString(deterministic=True)
    onnx.checker.check_model(ModelProto.FromString(model.SerializeToString() + content), full_check=True)
    description = {
        "fragment": base64.b64encode(content).decode("ascii"),
        "input": f"{PREFIX}grids",
        "probabilities": f"{PREFIX}probabilities",
        "digit_score": f"{PREFIX}digit_score",
        "layers": [
            {"name": name, "kind": type(layer).__name__, "output": f"{PREFIX}{name}", **kernels.get(name, {})}
            for name, layer in layers.items()
        ],
    }
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {KEY: json.dumps(description)}
    helper.set_model_props(model, dict(sorted(metadata.items())))


def mapping_layers(network: keras.Model) -> dict[str, keras.Operation]:
    """Return the layers that make feature maps, by name, without those whose maps a `MAP_REPLACING` layer replaces."""
    named = named_layers(network)
    unfinished = {
        name for layer in named.values() if isinstance(layer, MAP_REPLACING) for name in inputs_of(layer, named)
    }
    return {name: layer for name, layer in named.items() if len(layer.output.shape) == 4 and name not in unfinished}


def make_fragment(model: ModelProto, reader: Reader, layers: Mapping[str, keras.Operation], opset: int) -> ModelProto:
    """Return the fragment: a model that has only a graph, with the constants that `model` lacks.

    Args:
        model: shares its constants.
        reader: contains the network.
        layers: the layers whose feature maps are outputs, by name.
        opset: the ONNX opset.
    """
    maps = keras.Model(reader.network.inputs, [*(layer.output for layer in layers.values()), *reader.network.outputs])

    @tf.function(input_signature=SIGNATURE)
    def read_grids(grids: tf.Tensor) -> dict[str, tf.Tensor]:
        *found, logits = maps(to_input(grids), training=False)
        # ONNX's order of axes, so that the converter adds no further transposition.
        answer = {name: tf.transpose(of_layer, (0, 3, 1, 2)) for name, of_layer in zip(layers, found, strict=True)}
        answer |= reader.answer(logits, tf.reduce_max(grids, axis=(1, 2)) > 0)
        return {name: tf.identity(tensor, name) for name, tensor in answer.items()}

    dimensions: dict[str, tuple[str | int, ...]] = {"grids": ("grids", GRID, GRID)}
    for name, layer in layers.items():
        _, height, width, channels = layer.output.shape
        dimensions[name] = ("grids", channels, height, width)
    dimensions |= {"probabilities": ("grids", N_CLASSES), "digit_score": ("grids",)}
    alone = trace(read_grids, SIGNATURE, dimensions, opset)
    _share_constants(alone.graph, model.graph)
    fragment = ModelProto()
    for name in ("node", "input", "output", "initializer"):
        getattr(fragment.graph, name).extend(getattr(alone.graph, name))
    return fragment


def add_kernels(
    fragment: GraphProto, graph: GraphProto, network: keras.Model, layers: Mapping[str, keras.Operation]
) -> dict[str, dict[str, str | int]]:
    """Make the kernels of convolutions outputs of the fragment. Return their entries of the description, by name.

    Args:
        fragment: changed in place.
        graph: contains the kernels as constants.
        network: contains the layers.
        layers: those with feature maps, by name. Convolutions that read no such maps are left out.
    """
    named = named_layers(network)
    constants = {_content(constant): constant.name for constant in graph.initializer}
    described: dict[str, dict[str, str | int]] = {}
    for name, layer in layers.items():
        if not isinstance(layer, keras.layers.Conv2D) or layer.groups > 1:
            continue
        [source] = inputs_of(layer, named)
        kernels = numpy_helper.from_array(np.ascontiguousarray(layer.kernel.numpy().transpose(3, 2, 0, 1)))
        constant = constants.get(_content(kernels))
        if constant is None or source not in {"inputs", *layers}:
            continue
        output = f"{PREFIX}{name}_kernels"
        fragment.node.append(helper.make_node("Identity", [constant], [output], output))
        fragment.output.append(helper.make_tensor_value_info(output, kernels.data_type, kernels.dims))
        described[name] = {"reads": source, "stride": layer.strides[0], "kernels": output}
    return described


def _share_constants(graph: GraphProto, shared: GraphProto) -> None:
    """Prefix all names, and replace constants by those of `shared` with the same values."""
    known = {_content(constant): constant.name for constant in shared.initializer}
    names = {constant.name: known.get(_content(constant), PREFIX + constant.name) for constant in graph.initializer}
    for constant in list(graph.initializer):
        if _content(constant) in known:
            graph.initializer.remove(constant)
        else:
            constant.name = names[constant.name]
    for value in [*graph.input, *graph.output]:
        value.name = PREFIX + value.name
    for node in graph.node:
        node.name = PREFIX + node.name
        # An input that is left out has an empty name.
        node.input[:] = [names.get(name, name and PREFIX + name) for name in node.input]
        node.output[:] = [PREFIX + name for name in node.output]


def _content(constant: onnx.TensorProto) -> bytes:
    nameless = onnx.TensorProto.FromString(constant.SerializeToString())
    nameless.ClearField("name")
    return nameless.SerializeToString(deterministic=True)
