"""Build a network by its name."""

from importlib import import_module

import keras

from pipeline.base.errors import ConfigError
from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE, N_OUTPUTS


def build_network(config: ModelConfig) -> keras.Model:
    """Return the untrained network of the module `pipeline.network.architectures.<config.name>`.

    Returns:
        A model with input float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink. Its output, float32 ``[batch, N_OUTPUTS]``,
        has one logit per class (for a softmax), then one for "this is a digit" (for a sigmoid).

    Raises:
        ConfigError: the module builds a network that the later stages cannot use.
    """
    network = import_module(f"pipeline.network.architectures.{config.name}").build(config)
    shapes, wanted = (network.input_shape, network.output_shape), ((None, *INPUT_SHAPE), (None, N_OUTPUTS))
    if shapes != wanted:
        raise ConfigError(f"model.name={config.name}: input and output shapes must be {wanted}, not {shapes}")
    # The model file contains the Keras code of the network, so it needs layers that keras.layers has.
    foreign = [layer.name for layer in network.layers if not hasattr(keras.layers, type(layer).__name__)]
    if foreign:
        raise ConfigError(f"model.name={config.name}: use keras.layers and keras.ops only, not {', '.join(foreign)}")
    # The file describes a network by the one output of each layer.
    if repeated := {layer.name for layer in network.layers if len(layer._inbound_nodes) > 1}:
        raise ConfigError(f"model.name={config.name}: call each layer once, not again {', '.join(repeated)}")
    return network
