"""Layers that several networks share."""

from keras import layers

from pipeline.base.classes import N_CLASSES
from pipeline.config.schema import ModelConfig

INPUT_SHAPE = (28, 28, 1)
N_OUTPUTS = N_CLASSES + 1  # the last one is the logit of being a digit


def scaled(size: int, config: ModelConfig) -> int:
    """Return a number of filters or units, multiplied by the width."""
    return max(1, round(size * config.width))


def convolution(
    filters: int, config: ModelConfig, initializer: str = "glorot_uniform", size: int = 3, strides: int = 1
) -> list[layers.Layer]:
    """Return the layers of a convolution with a ReLU, batch-normalised if `model.batchnorm` is set."""
    if not config.batchnorm:
        return [layers.Conv2D(filters, size, strides, activation="relu", kernel_initializer=initializer)]
    # Normalised before the ReLU (Ioffe and Szegedy, 2015); the normalisation adds its own bias.
    kernel = layers.Conv2D(filters, size, strides, use_bias=False, kernel_initializer=initializer)
    return [kernel, layers.BatchNormalization(), layers.ReLU()]


def logits(n_outputs: int) -> layers.Layer:
    """Return the last layer. It computes in float32, even if the other layers have another precision."""
    return layers.Dense(n_outputs, dtype="float32")
