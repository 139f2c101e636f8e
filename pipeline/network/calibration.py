"""From logits to honest answers: the temperature, and the thresholds between digit, unsure and not a digit.

All are fitted to validation images, never to the test.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from pipeline.base.files import read_json, write_json
from pipeline.config.schema import DecisionConfig
from pipeline.dataset.splits import NO_DIGIT, part_slices

MIN_SCORE = 1e-6  # of `digit_score` where there is ink: 0 is kept for blank
MAX_THRESHOLD = 0.9999  # of `digit_score`: a score of 1 is a digit whatever the images


@dataclass(frozen=True)
class Calibration:
    """What turns logits into answers.

    Attributes:
        temperature: the class logits are divided by it before the softmax (Guo et al., 2017).
        thresholds: ``digit_score``, below which ink is called not a digit, and ``confidence``, the largest probability,
            below which a digit is called unsure.
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


def calibrate(logits: np.ndarray, labels: np.ndarray, parts: Mapping[str, int], config: DecisionConfig) -> Calibration:
    """Fit the temperature, then the thresholds.

    Args:
        logits: float32 ``[n, N_OUTPUTS]`` of validation images.
        labels: int32 ``[n]``, `NO_DIGIT` where it is none.
        parts: what the images consist of, in their order: numbers of images of each kind. The temperature weighs the
            kinds of digits alike, and the thresholds keep their promise for each: none is outvoted by a larger one.
        config: what the thresholds should achieve on these images.
    """
    kinds = [kind for kind in part_slices(parts).values() if (labels[kind] != NO_DIGIT).all()]
    classes, scores = logits[:, :-1], expit(logits[:, -1].astype(np.float64))

    def loss(log_temperature: float) -> float:
        scaled = classes / np.exp(log_temperature)
        return float(np.mean([mean_cross_entropy(scaled[kind], labels[kind]) for kind in kinds]))

    # Rounded, so that the last bits of the search do not decide about the bytes of the model file.
    temperature = round(float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)), 4)
    lowest = min(np.quantile(scores[kind], config.refused, method="lower") for kind in kinds)
    score = float(np.clip(_rounded_down(lowest), MIN_SCORE, MAX_THRESHOLD))
    probabilities = softmax(classes / temperature, axis=1)
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    read = [np.arange(len(labels))[kind][scores[kind] >= score] for kind in kinds]
    needed = _lowest_confidence([(confidence[kind], is_right[kind]) for kind in read], config.accuracy)
    return Calibration(temperature, {"digit_score": score, "confidence": _rounded_down(needed)})


def _rounded_down(threshold: float) -> float:
    return math.floor(threshold * 1e6) / 1e6  # down, so that the answer it was taken from still passes


def _lowest_confidence(kinds: Sequence[tuple[np.ndarray, np.ndarray]], accuracy: float) -> float:
    """Lowest threshold at which enough is right among the answers at or above it, in each kind of images.

    Args:
        kinds: of each kind, confidence float ``[n]`` and whether the answer is right, bool ``[n]``.
        accuracy: share that is enough.
    """
    candidates = np.unique(np.concatenate([confidence for confidence, _ in kinds]))
    is_enough = np.ones(len(candidates), bool)
    for confidence, is_right in kinds:
        order = np.argsort(confidence, kind="stable")
        first = np.searchsorted(confidence[order], candidates)  # of those that pass
        n_right = np.append(np.cumsum(is_right[order][::-1])[::-1], 0)[first]
        is_enough &= n_right >= accuracy * (len(confidence) - first)
    return float(candidates[is_enough][0]) if is_enough.any() else 1.0


def mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood of the labels, nats."""
    return float(-log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean())
