"""What each step of the normaliser is worth: pen strokes, read by the trained network without that step.

The network stays as it was trained, with all steps: this is what happens to somebody who takes the model, and not the
preparation, and so to the demos that squeeze a canvas to 28x28.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline.base.classes import N_CLASSES
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.evaluation.statistics import proportion
from pipeline.ink.normalize import CENTRE, FIT, GRID, INK_THRESHOLD, ROUNDING
from pipeline.reader.model import to_input
from pipeline.sources.unipen import Drawing


@dataclass(frozen=True)
class Steps:
    """The normaliser's steps; False leaves one out.

    Attributes:
        label: what is left out, in a few words.
        polarity: what differs from the paper is ink; else what is light.
        box: the ink's bounding box is what is fitted; else the canvas.
        aspect: the fit keeps the proportions; else each axis is stretched on its own.
        fit: into 20 pixels; else into all 28.
        mass: the centre of mass goes to the middle; else that of what was fitted.
    """

    label: str
    polarity: bool = True
    box: bool = True
    aspect: bool = True
    fit: bool = True
    mass: bool = True


VARIANTS = {
    "all": Steps("nothing left out"),
    "polarity": Steps("light is taken for ink, whatever the paper", polarity=False),
    "box": Steps("the whole canvas fitted, not the ink's box", box=False),
    "aspect": Steps("the box stretched to a square", aspect=False),
    "fit": Steps("the ink fills all 28 pixels, without a margin", fit=False),
    "mass": Steps("the box centred, not its mass", mass=False),
    "squeezed": Steps("the whole canvas squeezed to 28x28", box=False, fit=False, mass=False),
}


def measure_steps(network: keras.Model, drawings: Sequence[Drawing]) -> dict[str, dict[str, Any]]:
    """How many drawings are read right in each variant; each is drawn in one of the ways of `CELLS`, in turn.

    Returns:
        By variant ``label``; ``accuracy``, with its 95 % interval ``accuracy_low`` to ``accuracy_high`` by a bootstrap
        over the writers. Nothing where there are no drawings.
    """
    if not drawings:
        return {}
    hits: dict[str, list[np.ndarray]] = {name: [] for name in VARIANTS}
    writers = []
    for batch, ink in _canvases(drawings):
        writers += [drawing.writer for drawing in batch]
        labels = np.array([drawing.label for drawing in batch])
        for name, steps in VARIANTS.items():
            logits = network(to_input(tf.constant(normalize_without(ink, steps))), training=False).numpy()
            hits[name].append(logits[:, :N_CLASSES].argmax(axis=1) == labels)
    return {
        name: {"label": steps.label} | proportion("accuracy", np.concatenate(hits[name]), np.array(writers))
        for name, steps in VARIANTS.items()
    }


def _canvases(drawings: Sequence[Drawing]) -> Iterator[tuple[Sequence[Drawing], np.ndarray]]:
    """Some drawings at a time, and their canvases uint8 ``[n, height, width]``, 255 = ink."""
    for number, cell in enumerate(CELLS):
        chosen = drawings[number :: len(CELLS)]
        start = 0
        for canvases in draw_cell(chosen, cell):
            yield chosen[start : start + len(canvases)], canvases
            start += len(canvases)


def normalize_without(ink: np.ndarray, steps: Steps) -> np.ndarray:
    """What the network would see of clean canvases if the normaliser had these steps alone.

    Args:
        ink: uint8 ``[n, height, width]``, 255 = ink; the user sees it dark on light.
        steps: with all of them, the result is that of `pipeline.ink.normalize`.

    Returns:
        uint8 ``[n, 28, 28]``.
    """
    grey = ink.astype(np.float32) / np.float32(255)
    if not steps.polarity:
        grey = 1 - grey
    fit = FIT if steps.fit else float(GRID)
    y, x = (_extent(grey, across, steps.box) for across in (2, 1))
    lengths = [np.maximum(high - low, 1) for low, high, _ in (y, x)]
    if steps.aspect:
        lengths = [np.maximum(*lengths)] * 2
    rows, columns = (
        _overlap(*axis, scale=length / fit, size=size, mass=steps.mass)
        for axis, length, size in zip((y, x), lengths, grey.shape[1:], strict=True)
    )
    fitted = rows @ grey @ columns.transpose(0, 2, 1)
    peak = np.maximum(fitted.max(axis=(1, 2), keepdims=True), 1e-6)
    return np.floor(fitted * (255 / peak) + ROUNDING).astype(np.uint8)


def _extent(grey: np.ndarray, across: int, box: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Begin, end and centre of mass on one axis, in pixels: float32 ``[n]`` each; `across` is the other axis."""
    size = grey.shape[3 - across]
    mass = grey.sum(axis=across)
    centre = (mass @ (np.arange(size, dtype=np.float32) + 0.5)) / np.maximum(mass.sum(axis=1), 1e-6)
    if not box:
        return np.zeros(len(grey), np.float32), np.full(len(grey), size, np.float32), centre
    is_on = grey.max(axis=across) > INK_THRESHOLD
    return is_on.argmax(axis=1).astype(np.float32), (size - is_on[:, ::-1].argmax(axis=1)).astype(np.float32), centre


def _overlap(
    low: np.ndarray, high: np.ndarray, centre: np.ndarray, *, scale: np.ndarray, size: int, mass: bool
) -> np.ndarray:
    """Area weights float32 ``[n, 28, size]``: how much of each source pixel each grid pixel averages."""
    extent = np.ceil((high - low) / scale - 1e-4)
    middle = CENTRE - (centre - low) / scale if mass else (GRID - extent) / 2
    offset = np.clip(np.round(middle), 0, GRID - extent)
    scale = scale[:, None, None]
    cells = np.arange(GRID)[:, None] * scale + (low - offset * scale[:, 0, 0])[:, None, None]
    positions = np.arange(size)
    overlap = np.minimum(cells + scale, positions + 1) - np.maximum(cells, positions)
    return (np.maximum(overlap, 0) / scale).astype(np.float32)
