"""Save the network of the model file, without the normaliser, as a Keras file for the peer that uses Keras.

python -m bench.peers.keras_network FILE

The weights come from the model file, because a fresh clone contains no other weights.
"""

import argparse

import keras
import numpy as np
import onnx
from onnx import ModelProto, numpy_helper

from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.modelfile.onnx_graph import convert
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader


def network() -> keras.Model:
    """Return the trained network: float32 ``[batch, 28, 28, 1]`` in 0..1 -> logits float32 ``[batch, N_OUTPUTS]``."""
    config, trained = load_config(), _constants(onnx.load(Outputs().model))
    built = build_network(config.model)
    rng = np.random.default_rng(0)
    marked = [rng.random(weights.shape, np.float32) for weights in built.get_weights()]
    built.set_weights(marked)
    # The names of the constants depend on the layers only, so this file matches each constant with its weight.
    untrained = _constants(convert(Reader(built, Calibration(1.5, {})), config.export.opset, {}))
    names = {constant.tobytes(): name for name, constant in untrained.items()}
    kernels = [weights.ndim == 4 for weights in marked]  # ONNX has the filters first
    found = [
        trained[names[(weights.transpose(3, 2, 0, 1) if is_kernel else weights).tobytes()]]
        for weights, is_kernel in zip(marked, kernels, strict=True)
    ]
    built.set_weights(
        [one.transpose(2, 3, 1, 0) if is_kernel else one for one, is_kernel in zip(found, kernels, strict=True)]
    )
    return built


def _constants(model: ModelProto) -> dict[str, np.ndarray]:
    return {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    file = parser.parse_args().file
    network().save(file)
