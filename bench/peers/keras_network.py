"""Save the network of the model file as a Keras file, without the normaliser, for the peer that runs Keras.

python -m bench.peers.keras_network FILE

The weights come from the model file, because a fresh clone has no others.
"""

import sys

import keras
import onnx
from onnx import numpy_helper

from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.network.networks import build_network


def network() -> keras.Model:
    """Return the trained network: float32 ``[batch, 28, 28, 1]`` in 0..1 -> logits float32 ``[batch, N_OUTPUTS]``."""
    graph = onnx.load(Outputs().model).graph
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    weights = []
    for node in graph.node:
        if node.op_type == "Conv":
            kernel, bias = (constants[name] for name in node.input[1:])
            weights += [kernel.transpose(2, 3, 1, 0), bias]
    # Kernel and bias of the only dense layer are found by their shapes.
    built = build_network(load_config().model)
    for shape in (built.weights[-2].shape, built.weights[-1].shape):
        weights += [constant for constant in constants.values() if constant.shape == tuple(shape)]
    built.set_weights(weights)
    return built


if __name__ == "__main__":
    network().save(sys.argv[1])
