"""The network of the model file as a Keras file, for the peer that runs Keras.

python -m bench.peers.keras_network FILE

The weights are the model file's own, so that a fresh clone has them; the normaliser is not in it.
"""

import sys

import keras
import onnx
from onnx import numpy_helper

from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.network.networks import build_network


def network() -> keras.Model:
    """The trained network: float32 ``[batch, 28, 28, 1]`` in 0..1 -> logits float32 ``[batch, 11]``."""
    graph = onnx.load(Outputs().model).graph
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    weights = []
    for node in graph.node:
        if node.op_type == "Conv":
            kernel, bias = (constants[name] for name in node.input[1:])
            weights += [kernel.transpose(2, 3, 1, 0), bias]
    # Of the dense layer, the only one: its kernel and bias are the constants that have a column for each output.
    built = build_network(load_config().model)
    for shape in (built.weights[-2].shape, built.weights[-1].shape):
        weights += [constant for constant in constants.values() if constant.shape == tuple(shape)]
    built.set_weights(weights)
    return built


if __name__ == "__main__":
    network().save(sys.argv[1])
