"""The network of a web page on digit recognition for edge devices, for comparison."""

import keras
from keras import layers

from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE, convolution, logits, scaled


def build(config: ModelConfig, n_outputs: int) -> keras.Model:
    """Return the untrained network: 694,091 weights at width 1. The published network has 10 outputs."""
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            *convolution(scaled(32, config), config),  # [batch, 26, 26, 32]
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(config.dropout),
            layers.Dense(scaled(128, config), activation="relu"),
            logits(n_outputs),
        ],
        name="network",
    )
