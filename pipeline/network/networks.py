"""Build a network by its name."""

from importlib import import_module

import keras

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import ConfigError
from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE

N_OUTPUTS = N_CLASSES + 1  # the last one is the logit of being a digit


def build_network(config: ModelConfig, n_outputs: int = N_OUTPUTS) -> keras.Model:
    """Return the untrained network of the module `pipeline.network.architectures.<config.name>`.

    Args:
        config: name and values.
        n_outputs: number of logits; `N_CLASSES` for a network exactly as it was published.

    Returns:
        A model with input float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink. Its output, float32 ``[batch, n_outputs]``,
        has one logit per class (for a softmax), then one for "this is a digit" (for a sigmoid).

    Raises:
        ConfigError: the module builds a network that the later stages cannot use.
    """
    network = import_module(f"pipeline.network.architectures.{config.name}").build(config, n_outputs)
    shapes, wanted = (network.input_shape, network.output_shape), ((None, *INPUT_SHAPE), (None, n_outputs))
    if shapes != wanted:
        raise ConfigError(f"model.name={config.name}: input and output shapes must be {wanted}, not {shapes}")
    # The model file contains the Keras code of the network, so it needs layers that keras.layers has.
    foreign = [layer.name for layer in network.layers if not hasattr(keras.layers, type(layer).__name__)]
    if foreign:
        raise ConfigError(f"model.name={config.name}: use keras.layers and keras.ops only, not {', '.join(foreign)}")
    return network
