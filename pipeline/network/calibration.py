"""Fit the temperature and the decision thresholds to validation images."""

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

MIN_SCORE = 1e-6  # smallest `digit_score` of ink, because 0 means blank
MAX_THRESHOLD = 0.9999  # largest threshold of `digit_score`, so that a score of 1 is always a digit


@dataclass(frozen=True)
class Calibration:
    """Values that turn logits into answers.

    Attributes:
        temperature: divides the class logits before the softmax (Guo et al., 2017).
        thresholds: ``digit_score`` and ``confidence``, as `serving.model.decisions` uses them.
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
        labels: int32 ``[n]``, `NO_DIGIT` for a non-digit.
        parts: number of images of each kind, in their order. All kinds of digits have the same weight for the
            temperature, and the thresholds reach the targets for each kind.
        config: the targets.
    """
    kinds = [kind for kind in part_slices(parts).values() if (labels[kind] != NO_DIGIT).all()]
    classes, scores = logits[:, :-1], expit(logits[:, -1].astype(np.float64))

    def loss(log_temperature: float) -> float:
        scaled = classes / np.exp(log_temperature)
        return float(np.mean([mean_cross_entropy(scaled[kind], labels[kind]) for kind in kinds]))

    # Rounded, because the last bits of the search differ between machines.
    temperature = round(float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)), 4)
    lowest = min(np.quantile(scores[kind], config.refused, method="lower") for kind in kinds)
    score = float(np.clip(_rounded_down(lowest), MIN_SCORE, MAX_THRESHOLD))
    probabilities = softmax(classes / temperature, axis=1)
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    read = [np.arange(len(labels))[kind][scores[kind] >= score] for kind in kinds]
    needed = _lowest_confidence([(confidence[kind], is_right[kind]) for kind in read], config.accuracy)
    return Calibration(temperature, {"digit_score": score, "confidence": _rounded_down(needed)})


def _rounded_down(threshold: float) -> float:
    return math.floor(threshold * 1e6) / 1e6  # down, so that the answer with this value still passes


def _lowest_confidence(kinds: Sequence[tuple[np.ndarray, np.ndarray]], accuracy: float) -> float:
    """Return the lowest threshold that reaches the accuracy for every kind of image, or 1 if none does.

    Args:
        kinds: confidence float ``[n]`` and correctness bool ``[n]`` of the answers of each kind.
        accuracy: required share of correct answers among those at or above the threshold.
    """
    candidates = np.unique(np.concatenate([confidence for confidence, _ in kinds]))
    is_enough = np.ones(len(candidates), bool)
    for confidence, is_right in kinds:
        order = np.argsort(confidence, kind="stable")
        first = np.searchsorted(confidence[order], candidates)  # index of the first answer that passes
        n_right = np.append(np.cumsum(is_right[order][::-1])[::-1], 0)[first]
        is_enough &= n_right >= accuracy * (len(confidence) - first)
    return float(candidates[is_enough][0]) if is_enough.any() else 1.0


def mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the labels in nats."""
    return float(-log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean())
