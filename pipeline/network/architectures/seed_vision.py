"""The network of the app DigitVision (github.com/murodovdev/digit-vision) and of many tutorials, for comparison."""

import keras
from keras import layers

from pipeline.config.schema import ModelConfig
from pipeline.network.blocks import INPUT_SHAPE, N_OUTPUTS, convolution, logits, scaled


def build(config: ModelConfig) -> keras.Model:
    """Return the untrained network: 225,163 weights at width 1. As published, with 10 outputs, it has 225,034."""
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            *convolution(scaled(32, config), config),  # [batch, 26, 26, 32]
            layers.MaxPooling2D(),
            *convolution(scaled(64, config), config),  # [batch, 11, 11, 64]
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(scaled(128, config), activation="relu"),
            layers.Dropout(config.dropout),
            logits(N_OUTPUTS),
        ],
        name="network",
    )
