"""Accuracy on MNIST's test images after perturbations of the raw pixels, before the normaliser."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.dataset.splits import Split
from pipeline.evaluation.metrics import Answered
from pipeline.evaluation.statistics import proportion
from pipeline.reader.model import Reader, read_all
from serving.model.decisions import is_refused, states

CANVAS_PX = 56  # side of the dark canvas around each 28x28 image, with room to shift, rotate and scale
DIGIT_PX = 20  # longest side of a digit of MNIST
SEED = 3  # for the noise


class Perturbation(NamedTuple):
    """A perturbation at one strength.

    Attributes:
        name: what changes.
        strength: how much.
        unit: unit of the strength; empty for perturbations with one strength.
        apply: function of float32 ``[n, 56, 56]`` in 0..255 and the strength. Its result is clipped to 0..255.
    """

    name: str
    strength: float
    unit: str
    apply: Callable[[np.ndarray, float], np.ndarray]

    @property
    def key(self) -> str:
        """Return for example "rotation_20"."""
        return f"{self.name}_{self.strength:g}" if self.unit else self.name

    @property
    def label(self) -> str:
        """Return for example "rotation 20 degrees"."""
        return f"{self.name} {self.strength:g} {self.unit}" if self.unit else self.name


def _scale(images: np.ndarray, percent: float) -> np.ndarray:
    step = 100 / percent
    offset = (CANVAS_PX - 1) / 2 * (1 - step)
    return ndimage.affine_transform(images, (1, step, step), (0, offset, offset), order=1)


def _rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    rotated = np.empty_like(images)
    for first, angle in ((0, degrees), (1, -degrees)):  # every second image in the opposite direction
        rotated[first::2] = ndimage.rotate(images[first::2], angle, axes=(1, 2), reshape=False, order=1)
    return rotated


def _thin(images: np.ndarray, percent: float) -> np.ndarray:
    return ndimage.grey_erosion(_scale(images, 200), footprint=_disc(percent))


def _thicken(images: np.ndarray, percent: float) -> np.ndarray:
    return ndimage.grey_dilation(_scale(images, 200), footprint=_disc(percent))


def _disc(percent: float) -> np.ndarray:
    """Return a disc that makes lines thicker or thinner by `percent` of a digit's height, at twice the size."""
    radius = round(percent / 100 * 2 * DIGIT_PX / 2)
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius)[None]


def _add_noise(images: np.ndarray, percent: float) -> np.ndarray:
    noise = np.random.default_rng(SEED).standard_normal(images.shape, np.float32)
    return images + 255 * percent / 100 * noise


PERTURBATIONS = tuple(
    Perturbation(name, strength, unit, apply)
    for name, strengths, unit, apply in (
        ("unchanged", (0,), "", lambda images, _: images),
        # Right and down; 18 reaches the corner.
        ("shift", (0.5, 9, 18), "px", lambda images, by: ndimage.shift(images, (0, by, by), order=1)),
        ("scale", (50, 75, 200), "%", _scale),
        ("rotation", (10, 20, 30), "degrees", _rotate),
        ("thinner", (5, 10), "% of the height", _thin),
        ("thicker", (5, 10), "% of the height", _thicken),
        # Standard deviations.
        ("blur", (0.5, 1, 2), "px", lambda images, by: ndimage.gaussian_filter(images, (0, by, by))),
        ("noise", (2, 5, 10), "% of the range", _add_noise),
        ("inverted", (0,), "", lambda images, _: 255 - images),
        ("contrast", (50, 25, 12), "% of the range", lambda images, percent: 127.5 + (images - 127.5) * percent / 100),
    )
    for strength in strengths
)


def perturb(images: np.ndarray, perturbation: Perturbation) -> np.ndarray:
    """Apply a perturbation: uint8 ``[n, 28, 28]`` -> uint8 ``[n, 56, 56]``."""
    margin = (CANVAS_PX - images.shape[1]) // 2
    canvases = np.pad(images, ((0, 0), (margin, margin), (margin, margin))).astype(np.float32)
    return np.clip(np.rint(perturbation.apply(canvases, perturbation.strength)), 0, 255).astype(np.uint8)


def measure_robustness(reader: Reader, test: Split) -> dict[str, dict[str, Any]]:
    """Return the metrics of each perturbation by its key.

    Returns:
        - ``picture``: the label.
        - ``perturbation``, ``strength``.
        - ``accuracy`` in any state, with its 95 % interval.
        - ``right`` and ``wrong``, both with state "digit", ``unsure``, ``refused``: shares of all images.
    """
    table = {}
    for perturbation in PERTURBATIONS:
        answered = Answered(test.labels, read_all(reader, perturb(test.images, perturbation)))
        is_right = answered.is_right
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
