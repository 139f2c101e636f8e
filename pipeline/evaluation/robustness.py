"""How well MNIST's test digits are read from spoilt pictures: the raw pixels are changed, before the normaliser.

All 10,000 images are read in every row: it takes about two seconds.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.dataset.splits import Split
from pipeline.evaluation.metrics import Answered
from pipeline.evaluation.statistics import proportion
from pipeline.reader.model import Reader, read_all
from serving.model.decisions import is_refused, states

CANVAS_PX = 56  # side of the dark square that each 28x28 image lies in the middle of: room to shift, turn and grow
DIGIT_PX = 20  # the longest side of a digit of MNIST
SEED = 3  # of the noise


class Perturbation(NamedTuple):
    """One way to spoil pictures.

    Attributes:
        name: what changes.
        strength: how much.
        unit: of the strength; empty where there is but one.
        apply: float32 ``[n, 56, 56]`` in 0..255 and the strength -> the same, or beyond 0..255 what is then clipped.
    """

    name: str
    strength: float
    unit: str
    apply: Callable[[np.ndarray, float], np.ndarray]

    @property
    def key(self) -> str:
        """Such as "rotation_20"."""
        return f"{self.name}_{self.strength:g}" if self.unit else self.name

    @property
    def label(self) -> str:
        """Such as "rotation 20 degrees"."""
        return f"{self.name} {self.strength:g} {self.unit}" if self.unit else self.name


def _same(images: np.ndarray, _strength: float) -> np.ndarray:
    return images


def _shift(images: np.ndarray, pixels: float) -> np.ndarray:
    return ndimage.shift(images, (0, pixels, pixels), order=1)


def _scale(images: np.ndarray, percent: float) -> np.ndarray:
    step = 100 / percent
    offset = (CANVAS_PX - 1) / 2 * (1 - step)
    return ndimage.affine_transform(images, (1, step, step), (0, offset, offset), order=1)


def _rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    rotated = np.empty_like(images)
    for first, angle in ((0, degrees), (1, -degrees)):  # every other image the other way round
        rotated[first::2] = ndimage.rotate(images[first::2], angle, axes=(1, 2), reshape=False, order=1)
    return rotated


def _thin(images: np.ndarray, percent: float) -> np.ndarray:
    return ndimage.grey_erosion(_scale(images, 200), footprint=_disc(percent))


def _thicken(images: np.ndarray, percent: float) -> np.ndarray:
    return ndimage.grey_dilation(_scale(images, 200), footprint=_disc(percent))


def _disc(percent: float) -> np.ndarray:
    """Takes `percent` of the height from a line, or adds it, in pictures twice as large: their pixels are finer."""
    radius = round(percent / 100 * 2 * DIGIT_PX / 2)
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius)[None]


def _blur(images: np.ndarray, deviation: float) -> np.ndarray:
    return ndimage.gaussian_filter(images, (0, deviation, deviation))


def _add_noise(images: np.ndarray, percent: float) -> np.ndarray:
    noise = np.random.default_rng(SEED).standard_normal(images.shape, np.float32)
    return images + 255 * percent / 100 * noise


def _invert(images: np.ndarray, _strength: float) -> np.ndarray:
    return 255 - images


def _flatten(images: np.ndarray, percent: float) -> np.ndarray:
    return 127.5 + (images - 127.5) * percent / 100


PERTURBATIONS = tuple(
    Perturbation(name, strength, unit, apply)
    for name, strengths, unit, apply in (
        ("unchanged", (0,), "", _same),
        ("shift", (0.5, 9, 18), "px", _shift),  # to the right and down; 18 is into the corner
        ("scale", (50, 75, 200), "%", _scale),
        ("rotation", (10, 20, 30), "degrees", _rotate),
        ("thinner", (5, 10), "% of the height", _thin),
        ("thicker", (5, 10), "% of the height", _thicken),
        ("blur", (0.5, 1, 2), "px", _blur),  # standard deviation
        ("noise", (2, 5, 10), "% of the range", _add_noise),  # standard deviation
        ("inverted", (0,), "", _invert),
        ("contrast", (50, 25, 12), "% of the range", _flatten),
    )
    for strength in strengths
)


def perturb(images: np.ndarray, perturbation: Perturbation) -> np.ndarray:
    """Spoilt pictures: uint8 ``[n, 28, 28]`` -> uint8 ``[n, 56, 56]``."""
    margin = (CANVAS_PX - images.shape[1]) // 2
    canvases = np.pad(images, ((0, 0), (margin, margin), (margin, margin))).astype(np.float32)
    return np.clip(np.rint(perturbation.apply(canvases, perturbation.strength)), 0, 255).astype(np.uint8)


def measure_robustness(reader: Reader, test: Split) -> dict[str, dict[str, Any]]:
    """Figures of each perturbation by its key.

    Returns:
        ``picture``, its label; ``perturbation`` and ``strength``; ``accuracy``, whatever the state, with its 95 %
        interval; shares of all: ``right`` and ``wrong`` ones called "digit", ``unsure``, ``refused``.
    """
    table = {}
    for perturbation in PERTURBATIONS:
        answered = Answered(test.labels, read_all(reader, perturb(test.images, perturbation)))
        is_right = answered.predicted == test.labels
        found = states(answered.answers, reader.calibration.thresholds)
        shares = {
            "right": (found == "digit") & is_right,
            "wrong": (found == "digit") & ~is_right,
            "unsure": found == "unsure",
            "refused": is_refused(found),
        }
        table[perturbation.key] = (
            {"picture": perturbation.label, "perturbation": perturbation.name, "strength": perturbation.strength}
            | proportion("accuracy", is_right)
            | {share: round(float(hits.mean()), 6) for share, hits in shares.items()}
        )
    return table
