"""The network of the model file: five convolutions.

There is no batch normalisation, which would take most of the training time on a CPU. There is no padding, because the
normaliser leaves a margin of four pixels around the ink. The second convolution has a stride instead of a maximum after
it, which costs less and loses nothing: docs/measurements.md compares it with other networks.
"""

import keras
from keras import layers

from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE, N_OUTPUTS, convolution, logits, scaled


def build(config: ModelConfig) -> keras.Model:
    """Return the untrained network: 125,291 weights at width 1."""
    first, second, third, fourth, fifth = (scaled(filters, config) for filters in (8, 32, 48, 64, 128))
    # He et al., 2015: keeps the variance through ReLUs. There is no normalisation that would restore it.
    start = "he_normal"
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            *convolution(first, config, start),  # [batch, 26, 26, 8]
            *convolution(second, config, start, size=4, strides=2),  # [batch, 12, 12, 32]
            *convolution(third, config, start),  # [batch, 10, 10, 48]
            *convolution(fourth, config, start),  # [batch, 8, 8, 64]
            layers.MaxPooling2D(),
            *convolution(fifth, config, start),  # [batch, 2, 2, 128]
            layers.Flatten(),
            layers.Dropout(config.dropout),
            logits(N_OUTPUTS),
        ],
        name="network",
    )
