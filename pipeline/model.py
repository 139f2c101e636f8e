"""The network: normalised 28x28 images in, ten class logits and one of "this is a digit" out.

Five convolutions without batch normalisation, which would take most of the training time on a processor, and without
padding, because the normaliser leaves a margin of four pixels around the ink, so nothing is lost at the edges.
"""

import keras
from keras import layers

from pipeline.config import ModelConfig

NAME = "inkling-5-pooled"
FILTERS = (16, 32, 64, 96, 128)
N_CLASSES = 10
N_OUTPUTS = N_CLASSES + 1


def build_network(config: ModelConfig) -> keras.Model:
    """A fresh network.

    Returns:
        float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink -> float32 ``[batch, 11]`` logits: of the ten
        classes, for a softmax among them, and of being one digit at all, for a sigmoid. 195,051 weights at width 1.
    """
    first, second, third, fourth, fifth = (max(1, round(filters * config.width)) for filters in FILTERS)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            _convolution(first),  # [batch, 26, 26, 16]
            _convolution(second),  # [batch, 24, 24, 32]
            layers.MaxPooling2D(),
            _convolution(third),  # [batch, 10, 10, 64]
            _convolution(fourth),  # [batch, 8, 8, 96]
            layers.MaxPooling2D(),
            _convolution(fifth),  # [batch, 2, 2, 128]
            layers.Flatten(),
            layers.Dropout(config.dropout),
            layers.Dense(N_OUTPUTS, dtype="float32"),  # logits keep their precision whatever the rest computes in
        ],
        name="network",
    )


def _convolution(filters: int) -> layers.Layer:
    # He et al., 2015: keeps the variance through ReLUs, which no normalisation would restore here.
    return layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal")
