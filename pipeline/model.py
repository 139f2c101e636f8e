"""The network: normalised 28x28 images in, ten logits out.

Four convolutions without batch normalisation (which would take most of the training time on a processor) and without
padding (the normaliser leaves a margin of four pixels around the ink, so nothing is lost at the edges).
"""

import keras
from keras import layers

from pipeline.config import ModelConfig

NAME = "inkling-4"
FILTERS = (32, 64, 64, 96)


def build_network(config: ModelConfig) -> keras.Model:
    """A fresh network.

    Returns:
        float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink -> float32 ``[batch, 10]`` logits. 115,498 weights at width 1.
    """
    first, second, third, fourth = (max(1, round(filters * config.width)) for filters in FILTERS)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            _convolution(first, 5, strides=2),  # [batch, 12, 12, 32]
            _convolution(second, 3),  # [batch, 10, 10, 64]
            _convolution(third, 3, strides=2),  # [batch, 4, 4, 64]
            _convolution(fourth, 3),  # [batch, 2, 2, 96]
            layers.Flatten(),
            layers.Dropout(config.dropout),
            layers.Dense(10, dtype="float32"),  # logits keep their precision whatever the rest computes in
        ],
        name="network",
    )


def _convolution(filters: int, size: int, strides: int = 1) -> layers.Layer:
    # He et al., 2015: keeps the variance through ReLUs, which no normalisation would restore here.
    return layers.Conv2D(filters, size, strides, activation="relu", kernel_initializer="he_normal")
