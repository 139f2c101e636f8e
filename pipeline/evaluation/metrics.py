"""Metrics of answers to test images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.evaluation.statistics import expected_calibration_error, proportion, reliability
from serving.model.decisions import is_refused, states

N_OFFICIAL = 10_000  # images in MNIST's official test set
# Official test images whose label has fewer than three of five raters' votes: Northcutt, Athalye and Mueller, 2021,
# "Pervasive label errors in test sets destabilize machine learning benchmarks", github.com/cleanlab/label-errors.
DISPUTED = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


@dataclass(frozen=True, eq=False)
class Answered:
    """Test images with their answers.

    Attributes:
        labels: int32 ``[n]``, the class.
        answers: arrays with n rows, named as in `Reader.read`.
        writers: int32 ``[n]``, the writer of each; None if unknown.
    """

    labels: np.ndarray
    answers: Mapping[str, np.ndarray]
    writers: np.ndarray | None = None

    @property
    def predicted(self) -> np.ndarray:
        """Return the most probable digits: int64 ``[n]``."""
        return self.answers["probabilities"].argmax(axis=1)

    @property
    def is_right(self) -> np.ndarray:
        """Return which of the predicted digits are correct, in any state: bool ``[n]``."""
        return self.predicted == self.labels


def measure(name: str, test: Answered, thresholds: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of answers to digits.

    Args:
        name: prefix of the names.
        test: at least one image.
        thresholds: see `states`.

    Returns:
        These metrics, each with the prefix ``<name>_``:

        - ``accuracy``, ``accuracy_low``, ``accuracy_high``: accuracy of the most probable digit in any state, and its
          95 % interval.
        - ``errors``: number of wrong digits.
        - ``loss``: cross-entropy in nats.
        - ``ece``: expected calibration error.
        - ``refused``, ``unsure``: shares of all images.
        - ``selective_accuracy``: accuracy of the answers with state "digit" (El-Yaniv and Wiener, 2010), or 1 if there
          are none.
    """
    probabilities, labels = test.answers["probabilities"], test.labels
    is_right, found = test.is_right, states(test.answers, thresholds)
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    called_digit = found == "digit"
    others = {
        "errors": int((~is_right).sum()),
        "loss": round(float(-np.log(np.maximum(of_label, 1e-12)).mean()), 6),
        "ece": round(expected_calibration_error(reliability(probabilities, labels)), 6),
        "refused": round(float(is_refused(found).mean()), 6),
        "unsure": round(float((found == "unsure").mean()), 6),
        "selective_accuracy": round(1 - float((called_digit & ~is_right).sum() / max(called_digit.sum(), 1)), 6),
    }
    accuracy = proportion(f"{name}_accuracy", is_right, test.writers)
    return accuracy | {f"{name}_{key}": value for key, value in others.items()}


def references(test: Answered, thresholds: Mapping[str, float]) -> dict[str, float]:
    """Return the figures with which a monitor compares those of the requests.

    Args:
        test: see `measure`.
        thresholds: see `states`.

    Returns:
        - ``estimated_accuracy``: mean confidence in the images that are read as a digit, sure or unsure; 0 if none is.
        - ``share_called_digit``: share of these images among those with ink; 0 if none has ink.
    """
    found = states(test.answers, thresholds)
    is_read = ~is_refused(found)
    confidence = test.answers["probabilities"].max(axis=1)[is_read].astype(np.float64)
    return {
        "estimated_accuracy": round(float(confidence.sum()) / max(len(confidence), 1), 6),
        "share_called_digit": round(len(confidence) / max(int((found != "blank").sum()), 1), 6),
    }


def without_disputed(test: Answered) -> dict[str, float]:
    """Return accuracy and number of errors without the images whose label is disputed.

    Args:
        test: the official test images of MNIST.
    """
    is_right = np.delete(test.is_right, DISPUTED)
    return proportion("test_undisputed_accuracy", is_right) | {"test_undisputed_errors": int((~is_right).sum())}


def confusion_matrix(test: Answered) -> np.ndarray:
    """Count the images by actual and predicted digit: int ``[classes, classes]``."""
    matrix = np.zeros((N_CLASSES, N_CLASSES), int)
    np.add.at(matrix, (test.labels, test.predicted), 1)
    return matrix
