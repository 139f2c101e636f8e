"""The networks: normalised 28x28 images in, ten class logits and one of "this is a digit" out.

inkling is what ships: five convolutions without batch normalisation, which would take most of the training time on a
processor, and without padding, because the normaliser leaves a margin of four pixels around the ink, so nothing is lost
at the edges. seed_vision and seed_edge are two published networks, to compare with; they had ten outputs, and have the
eleventh here.
"""

from collections.abc import Callable

import keras
from keras import layers

from pipeline.config.schema import ModelConfig

N_CLASSES = 10
N_OUTPUTS = N_CLASSES + 1


def build_network(config: ModelConfig, n_outputs: int = N_OUTPUTS) -> keras.Model:
    """A fresh network.

    Args:
        config: which, and its values.
        n_outputs: logits; 10 for a published network as it was.

    Returns:
        float32 ``[batch, 28, 28, 1]`` in 0..1, 1 = ink -> float32 ``[batch, n_outputs]`` logits: of the ten classes,
        for a softmax among them, and of being one digit at all, for a sigmoid. At width 1 and 11 outputs, inkling has
        195,051 weights, seed_vision 225,163 and seed_edge 694,091.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *_NETWORKS[config.name](config),
            layers.Dense(n_outputs, dtype="float32"),  # logits keep their precision whatever the rest computes in
        ],
        name="network",
    )


def _inkling(config: ModelConfig) -> list[layers.Layer]:
    first, second, third, fourth, fifth = (_scaled(filters, config) for filters in (16, 32, 64, 96, 128))
    # He et al., 2015: keeps the variance through ReLUs, which no normalisation would restore here.
    start = "he_normal"
    return [
        *_convolution(first, config, start),  # [batch, 26, 26, 16]
        *_convolution(second, config, start),  # [batch, 24, 24, 32]
        layers.MaxPooling2D(),
        *_convolution(third, config, start),  # [batch, 10, 10, 64]
        *_convolution(fourth, config, start),  # [batch, 8, 8, 96]
        layers.MaxPooling2D(),
        *_convolution(fifth, config, start),  # [batch, 2, 2, 128]
        layers.Flatten(),
        layers.Dropout(config.dropout),
    ]


def _seed_vision(config: ModelConfig) -> list[layers.Layer]:
    """The network of the app DigitVision (github.com/murodovdev/digit-vision), and of countless tutorials."""
    return [
        *_convolution(_scaled(32, config), config),  # [batch, 26, 26, 32]
        layers.MaxPooling2D(),
        *_convolution(_scaled(64, config), config),  # [batch, 11, 11, 64]
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(_scaled(128, config), activation="relu"),
        layers.Dropout(config.dropout),
    ]


def _seed_edge(config: ModelConfig) -> list[layers.Layer]:
    """The network of a page that presents a digit recogniser for edge devices."""
    return [
        *_convolution(_scaled(32, config), config),  # [batch, 26, 26, 32]
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(config.dropout),
        layers.Dense(_scaled(128, config), activation="relu"),
    ]


_NETWORKS: dict[str, Callable[[ModelConfig], list[layers.Layer]]] = {
    "inkling": _inkling,
    "seed_vision": _seed_vision,
    "seed_edge": _seed_edge,
}


def _scaled(size: int, config: ModelConfig) -> int:
    return max(1, round(size * config.width))


def _convolution(filters: int, config: ModelConfig, initializer: str = "glorot_uniform") -> list[layers.Layer]:
    if not config.batchnorm:
        return [layers.Conv2D(filters, 3, activation="relu", kernel_initializer=initializer)]
    # Normalised before the ReLU (Ioffe and Szegedy, 2015), which brings its own bias.
    kernel = layers.Conv2D(filters, 3, use_bias=False, kernel_initializer=initializer)
    return [kernel, layers.BatchNormalization(), layers.ReLU()]
