"""The network: normalised 28x28 images in, ten logits out.

Five convolutions without batch normalisation (which would take most of the training time on a processor) and without
padding (the normaliser leaves a margin of four pixels around the ink, so nothing is lost at the edges).
"""

import keras
from keras import layers

from pipeline.config import ModelConfig

NAME = "inkling-5"
FILTERS = (32, 64, 64, 96, 64)


def build_network(config: ModelConfig) -> keras.Model:
    """A fresh network.

    Returns:
        float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink -> float32 ``[batch, 10]`` logits. 169,290 weights at width 1.
    """
    first, second, third, fourth, fifth = (max(1, round(filters * config.width)) for filters in FILTERS)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            _convolution(first, 4, strides=2),  # [batch, 13, 13, 32]
            _convolution(second, 3),  # [batch, 11, 11, 64]
            _convolution(third, 3),  # [batch, 9, 9, 64]
            _convolution(fourth, 3, strides=2),  # [batch, 4, 4, 96]
            _convolution(fifth, 3),  # [batch, 2, 2, 64]
            layers.Flatten(),
            layers.Dropout(config.dropout),
            layers.Dense(10, dtype="float32"),  # logits keep their precision whatever the rest computes in
        ],
        name="network",
    )


def _convolution(filters: int, size: int, strides: int = 1) -> layers.Layer:
    # He et al., 2015: keeps the variance through ReLUs, which no normalisation would restore here.
    return layers.Conv2D(filters, size, strides, activation="relu", kernel_initializer="he_normal")
