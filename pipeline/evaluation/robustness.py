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
SHEET_PX = 280  # side of the sheets of paper, as large as the canvas of the page
PAPER, INK = 230.0, 40.0  # grey levels of a sheet
N_IMAGES = 1000  # number of test images; sheets take a hundred times as long as 28x28
GOLDEN_ANGLE = 2.39996  # radians; the multiples of it are directions without a pattern


class Perturbation(NamedTuple):
    """A perturbation at one strength.

    Attributes:
        name: what changes.
        strength: how much.
        unit: unit of the strength; empty for perturbations with one strength.
        apply: function of float32 ``[n, 56, 56]`` in 0..255 and the strength. Its result ``[n, height, width]`` is
            clipped to 0..255.
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


def _enlarge(images: np.ndarray) -> np.ndarray:
    """Interpolate to the size of a sheet: float32 ``[n, 280, 280]``, still light on dark."""
    centres = (np.arange(SHEET_PX) + 0.5) * CANVAS_PX / SHEET_PX - 0.5
    weights = np.stack([np.interp(centres, np.arange(CANVAS_PX), one) for one in np.eye(CANVAS_PX)], axis=1)
    weights = weights.astype(np.float32)
    return weights @ images @ weights.T


def _to_paper(ink: np.ndarray) -> np.ndarray:
    """Convert light ink on black to dark ink on grey paper."""
    return PAPER - ink * ((PAPER - INK) / 255)


def _distances(n_sheets: int) -> np.ndarray:
    """Return the distance of each pixel from a line through the centre, in sides: float32 ``[n, 280, 280]``.

    Each sheet has another direction.
    """
    angles = GOLDEN_ANGLE * np.arange(n_sheets, dtype=np.float32)[:, None, None]
    along = np.linspace(-0.5, 0.5, SHEET_PX, dtype=np.float32)
    return np.cos(angles) * along + np.sin(angles) * along[:, None]


def _cast_shadow(images: np.ndarray, percent: float) -> np.ndarray:
    """Darken one side of a straight edge through the centre."""
    shadow = np.clip(0.5 + SHEET_PX / 2 * _distances(len(images)), 0, 1)  # the edge is two pixels wide
    return _to_paper(_enlarge(images)) * (1 - percent / 100 * shadow)


def _light_from_one_side(images: np.ndarray, percent: float) -> np.ndarray:
    return _to_paper(_enlarge(images)) * (1 - percent / 100 * np.clip(_distances(len(images)) + 0.5, 0, 1))


def _darken_corner(images: np.ndarray, percent: float) -> np.ndarray:
    """Darken a triangle in one of the corners; its legs are `percent` of the side."""
    sheets = _to_paper(_enlarge(images))
    along = np.arange(SHEET_PX) / SHEET_PX
    corner = along[:, None] + along < percent / 100
    for number, sheet in enumerate(sheets):
        sheet[np.rot90(corner, number % 4)] *= 0.2
    return sheets


def _add_frame(images: np.ndarray, width: float) -> np.ndarray:
    sheets, px = _enlarge(images), int(width)
    for edge in (sheets[:, :px], sheets[:, -px:], sheets[:, :, :px], sheets[:, :, -px:]):
        edge[:] = 255
    return _to_paper(sheets)


def _add_line(images: np.ndarray, width: float) -> np.ndarray:
    """Draw a line along one of the edges."""
    sheets = _enlarge(images)
    for number, sheet in enumerate(sheets):
        np.rot90(sheet, number % 4)[: int(width)] = 255
    return _to_paper(sheets)


def _add_rule(images: np.ndarray, width: float) -> np.ndarray:
    """Draw a horizontal rule from edge to edge, a tenth of the digit's size below the digit."""
    sheets = _enlarge(images)
    for sheet in sheets:
        top = np.flatnonzero(sheet.max(axis=1) > 0)[-1] + SHEET_PX // CANVAS_PX * DIGIT_PX // 10
        sheet[top : top + int(width)] = 255
    return _to_paper(sheets)


def _put_on_large_sheet(images: np.ndarray, percent: float) -> np.ndarray:
    """Surround a digit by so much paper that its height is `percent` of the sheet."""
    margin = (round(DIGIT_PX * 100 / percent) - CANVAS_PX) // 2
    return _to_paper(np.pad(images, ((0, 0), (margin, margin), (margin, margin))))


def _cut_off(images: np.ndarray, percent: float) -> np.ndarray:
    """Move each digit over one of the edges, so that `percent` of its longest side are missing."""
    sheets = _enlarge(images)
    moved = np.zeros_like(sheets)
    for number, (sheet, target) in enumerate(zip(sheets, moved, strict=True)):
        turned = np.rot90(sheet, number % 4)
        rows = np.flatnonzero(turned.max(axis=1) > 127)
        first = rows[0] + round(percent / 100 * SHEET_PX / CANVAS_PX * DIGIT_PX)
        np.rot90(target, number % 4)[: SHEET_PX - first] = turned[first:]
    return _to_paper(moved)


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
        ("noise", (2, 5, 10), "% of the grey range", _add_noise),
        ("inverted", (0,), "", lambda images, _: 255 - images),
        (
            "contrast",
            (50, 25, 12),
            "% of the grey range",
            lambda images, percent: 127.5 + (images - 127.5) * percent / 100,
        ),
        ("shadow", (25, 50), "% darker", _cast_shadow),
        ("gradient", (25, 50), "% darker", _light_from_one_side),
        ("corner", (15, 30), "% of the side", _darken_corner),
        ("frame", (1, 4), "px of 280", _add_frame),
        ("line", (1, 4), "px of 280", _add_line),
        ("rule", (2,), "px of 280", _add_rule),
        ("height", (5,), "% of the sheet", _put_on_large_sheet),
        ("cut", (5, 10), "% of the height", _cut_off),
    )
    for strength in strengths
)


def perturb(images: np.ndarray, perturbation: Perturbation) -> np.ndarray:
    """Apply a perturbation: uint8 ``[n, 28, 28]`` -> uint8 ``[n, height, width]``, at least 56x56."""
    margin = (CANVAS_PX - images.shape[1]) // 2
    canvases = np.pad(images, ((0, 0), (margin, margin), (margin, margin))).astype(np.float32)
    return np.clip(np.rint(perturbation.apply(canvases, perturbation.strength)), 0, 255).astype(np.uint8)


def measure_robustness(reader: Reader, test: Split) -> dict[str, dict[str, Any]]:
    """Return the metrics of the first `N_IMAGES` test images after each perturbation, by its key.

    Returns:
        - ``picture``: the label.
        - ``perturbation``: its name.
        - ``n``: number of images.
        - ``accuracy`` in any state, with its 95 % interval.
        - ``still_right``, with its interval: share of the images read right, state "digit", among those read right
          without the perturbation; 0 if there are none.
        - ``right`` and ``wrong``, both with state "digit", ``unsure``, ``refused``: shares of all images.
    """
    chosen = test[:N_IMAGES]
    table: dict[str, dict[str, Any]] = {}
    right_before = np.zeros(0, bool)
    for perturbation in PERTURBATIONS:
        answered = Answered(chosen.labels, read_all(reader, perturb(chosen.images, perturbation)))
        is_right = answered.is_right
        found = states(answered.answers, reader.calibration.thresholds)
        right = (found == "digit") & is_right
        if not table:  # the first perturbation changes nothing
            right_before = right
        chances = right[right_before]
        shares = {
            "right": right,
            "wrong": (found == "digit") & ~is_right,
            "unsure": found == "unsure",
            "refused": is_refused(found),
        }
        table[perturbation.key] = (
            {"picture": perturbation.label, "perturbation": perturbation.name, "n": len(right)}
            | proportion("accuracy", is_right)
            | proportion("still_right", chances if len(chances) else np.zeros(1, bool))
            | {share: round(float(hits.mean()), 6) for share, hits in shares.items()}
        )
    return table
