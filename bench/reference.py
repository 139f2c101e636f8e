"""The network of countless tutorials, to compare ours with."""

import keras
from keras import layers


def reference_network(n_outputs: int = 10) -> keras.Model:
    """A fresh network.

    Returns:
        float32 ``[batch, 28, 28, 1]`` in 0..1 -> float32 ``[batch, n_outputs]`` logits. 225,034 weights at 10 outputs.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(n_outputs),
        ],
        name="reference",
    )
