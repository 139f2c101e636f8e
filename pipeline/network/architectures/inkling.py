"""The network of the model file: five convolutions.

There is no batch normalisation, which would take most of the training time on a CPU. There is no padding, because the
normaliser leaves a margin of four pixels around the ink.
"""

import keras
from keras import layers

from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE, convolution, logits, scaled


def build(config: ModelConfig, n_outputs: int) -> keras.Model:
    """Return the untrained network: 195,051 weights at width 1."""
    first, second, third, fourth, fifth = (scaled(filters, config) for filters in (16, 32, 64, 96, 128))
    # He et al., 2015: keeps the variance through ReLUs. There is no normalisation that would restore it.
    start = "he_normal"
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            *convolution(first, config, start),  # [batch, 26, 26, 16]
            *convolution(second, config, start),  # [batch, 24, 24, 32]
            layers.MaxPooling2D(),
            *convolution(third, config, start),  # [batch, 10, 10, 64]
            *convolution(fourth, config, start),  # [batch, 8, 8, 96]
            layers.MaxPooling2D(),
            *convolution(fifth, config, start),  # [batch, 2, 2, 128]
            layers.Flatten(),
            layers.Dropout(config.dropout),
            logits(n_outputs),
        ],
        name="network",
    )
