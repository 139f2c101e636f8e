"""From logits to honest answers: the temperature, and the thresholds between digit, unsure and not a digit.

Both are fitted to validation images, never to the test.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from pipeline.config import DecisionConfig
from pipeline.data import read_json, write_json

N_BINS = 15  # of the expected calibration error, as in Guo et al., 2017


@dataclass(frozen=True)
class Calibration:
    """What turns logits into answers.

    Attributes:
        temperature: logits are divided by it before the softmax (Guo et al., 2017).
        thresholds: `digit_score` from which an answer is called "digit", and from which "unsure"; below is no digit.
    """

    temperature: float
    thresholds: dict[str, float]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read what `save` wrote.

        Raises:
            DataError: missing or damaged.
        """
        return cls(**read_json(path, made_by="train"))


def calibrate(logits: np.ndarray, labels: np.ndarray, config: DecisionConfig) -> Calibration:
    """Fit the temperature, then the thresholds.

    Args:
        logits: float32 ``[n, 10]`` of validation images.
        labels: int32 ``[n]``.
        config: what the thresholds should achieve on these images.
    """

    def loss(log_temperature: float) -> float:
        return mean_cross_entropy(logits / np.exp(log_temperature), labels)

    # Rounded, so that the last bits of the search do not decide about the bytes of the model file.
    temperature = round(float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)), 4)
    probabilities = softmax(logits / temperature, axis=1)
    scores, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    unsure = float(np.quantile(scores, config.refused))
    digit = max(unsure, _lowest_score_for(scores, is_right, config.accuracy))
    return Calibration(temperature, {"digit": round(digit, 4), "unsure": round(unsure, 4)})


def _lowest_score_for(scores: np.ndarray, is_right: np.ndarray, accuracy: float) -> float:
    """Lowest threshold at which the share of right answers among those at or above it is at least `accuracy`."""
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    good_enough = np.flatnonzero(share >= accuracy)
    return float(scores[order[good_enough[-1]]]) if len(good_enough) else 1.0


def mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood of the labels, nats."""
    return float(-log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean())


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over equally wide bins of confidence (Guo et al., 2017), 0 to 1."""
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, weights=confidence, minlength=N_BINS) - np.bincount(bins, is_right, N_BINS)
    return float(np.abs(gaps).sum() / len(labels))
