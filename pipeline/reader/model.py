"""The reader as one TensorFlow graph: pixels -> normaliser -> network -> temperature -> answer.

`evaluate` measures this graph, and `export` converts it to the model file.
"""

import keras
import numpy as np
import tensorflow as tf

from pipeline.base.arrays import join_batches
from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import DataError
from pipeline.base.files import unreadable
from pipeline.base.paths import Outputs
from pipeline.config.schema import ModelConfig
from pipeline.ink.normalize import normalize
from pipeline.network.calibration import MIN_SCORE, Calibration
from pipeline.network.networks import build_network

MAX_FEATURES = 512  # values in `features`
MIN_LENGTH = 1e-12  # so that a vector of zeros stays one
SIGNATURE = [tf.TensorSpec([None, None, None], tf.uint8, name="image")]


class Reader(tf.Module):
    """A network with its normaliser and calibration.

    Attributes:
        network: pixels to logits.
        calibration: temperature and thresholds.
        n_features: length of `features`, or None if the network has none.
    """

    def __init__(self, network: keras.Model, calibration: Calibration) -> None:
        super().__init__()
        self.network = network
        self.calibration = calibration
        features = find_features(network)
        self.n_features = None if features is None else features.shape[1]
        outputs = {"logits": network.outputs[0]} | ({} if features is None else {"features": features})
        self._layers = keras.Model(network.inputs[0], outputs)

    @tf.function(input_signature=SIGNATURE)
    def read(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answer a batch.

        Args:
            image: uint8 ``[batch, height, width]`` grey levels, any size, dark on light or light on dark.

        Returns:
            ``probabilities`` float32 ``[batch, classes]``: calibrated; equal for all classes if there is no ink.
            ``digit_score`` float32 ``[batch]``: probability that the ink is one digit; 0 only if there is no ink.
            ``normalized`` uint8 ``[batch, 28, 28]``: input of the network, 255 = ink.
            ``box`` float32 ``[batch, 4]``: left, top, right, bottom of the ink in source pixels.
            ``features`` float32 ``[batch, n_features]``: what the last layer reads, as a unit vector; 0 without ink.
            Absent if `n_features` is None.
        """
        seen = normalize(image)
        # The network gets the rounded pixels, so that `normalized` is exactly its input.
        found = self._layers(to_input(seen.images), training=False)
        answer = self.answer(found["logits"], seen.has_ink) | {"normalized": seen.images, "box": seen.box}
        if "features" in found:
            answer["features"] = unit_vectors(found["features"], seen.has_ink)
        return {name: tf.identity(tensor, name) for name, tensor in answer.items()}

    def answer(self, logits: tf.Tensor, has_ink: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return ``probabilities`` and ``digit_score`` of `read`.

        Args:
            logits: float32 ``[batch, N_OUTPUTS]``.
            has_ink: bool ``[batch]``.
        """
        inked = tf.cast(has_ink, tf.float32)
        classes = logits[:, :N_CLASSES] * (inked / self.calibration.temperature)[:, None]
        score = tf.maximum(tf.sigmoid(logits[:, N_CLASSES]), MIN_SCORE)
        return {"probabilities": tf.nn.softmax(classes), "digit_score": score * inked}


def to_input(grids: tf.Tensor) -> tf.Tensor:
    """Scale images for the network: uint8 ``[batch, 28, 28]`` -> float32 ``[batch, 28, 28, 1]`` in 0..1."""
    return tf.cast(grids, tf.float32)[..., None] / 255.0


def find_features(network: keras.Model) -> keras.KerasTensor | None:
    """Return what the last layer reads. Return None unless it is a `Dense` layer with at most `MAX_FEATURES` inputs."""
    last = network.outputs[0]._keras_history.operation
    is_small = isinstance(last, keras.layers.Dense) and last.kernel.shape[0] <= MAX_FEATURES
    return last.input if is_small else None


def unit_vectors(values: tf.Tensor, has_ink: tf.Tensor) -> tf.Tensor:
    """Divide vectors float32 ``[batch, n]`` by their length. Return zeros where there is no ink."""
    length = tf.maximum(tf.sqrt(tf.reduce_sum(values * values, axis=1)), MIN_LENGTH)
    return values * tf.expand_dims(tf.cast(has_ink, tf.float32) / length, 1)


def load_reader(config: ModelConfig, outputs: Outputs) -> Reader:
    """Return the reader with the trained weights and calibration.

    Raises:
        DataError: weights or calibration are missing, damaged, or belong to another network.
    """
    network = build_network(config)
    try:
        network.load_weights(outputs.weights)
    except OSError as error:
        raise unreadable(outputs.weights, error, "train") from error
    except ValueError as error:
        raise DataError(f"{outputs.weights} cannot be used ({error}): run `dvc repro train`") from error
    return Reader(network, Calibration.load(outputs.calibration))


def read_all(reader: Reader, images: np.ndarray, batch_size: int = 500) -> dict[str, np.ndarray]:
    """Answer images uint8 ``[n, height, width]`` in batches. Return the arrays of `Reader.read`."""
    return join_batches(
        [reader.read(tf.constant(images[i : i + batch_size])) for i in range(0, len(images), batch_size)]
    )
