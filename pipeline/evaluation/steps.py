"""Ablation of the normaliser: accuracy on pen strokes when the trained network gets images without one of its steps.

The network was trained with all steps. The results show the loss of accuracy in a program that uses the network without
the normaliser, for example by squeezing a canvas to 28x28.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline.base.classes import N_CLASSES
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.evaluation.statistics import proportion
from pipeline.ink.normalize import Step, normalize
from pipeline.reader.model import to_input
from pipeline.sources.unipen import Drawing

# By name: a label, and the steps to leave out.
VARIANTS: dict[str, tuple[str, set[Step]]] = {
    "all": ("nothing left out", set()),
    "polarity": ("light pixels taken for ink on any paper", {"polarity"}),
    "box": ("the whole canvas fitted, not the ink's box", {"box"}),
    "aspect": ("the box stretched to a square", {"aspect"}),
    "fit": ("the ink fills all 28 pixels, without a margin", {"fit"}),
    "mass": ("the box centred, not its mass", {"mass"}),
    "squeezed": ("the whole canvas squeezed to 28x28", {"box", "fit", "mass"}),
}


def measure_steps(network: keras.Model, drawings: Sequence[Drawing]) -> dict[str, dict[str, Any]]:
    """Return the accuracy of each variant. The drawings use the `CELLS` in turn, and are dark on light.

    Returns:
        By variant: ``label``; ``accuracy`` with its 95 % interval ``accuracy_low`` to ``accuracy_high``, bootstrapped
        over the writers. Empty without drawings.
    """
    if not drawings:
        return {}
    predicted: dict[str, list[np.ndarray]] = {name: [] for name in VARIANTS}
    order = [drawing for number in range(len(CELLS)) for drawing in drawings[number :: len(CELLS)]]
    for number, cell in enumerate(CELLS):
        for canvases in draw_cell(drawings[number :: len(CELLS)], cell):
            images = tf.constant(255 - canvases)
            for name, (_, without) in VARIANTS.items():
                logits = network(to_input(normalize(images, without).images), training=False).numpy()
                predicted[name].append(logits[:, :N_CLASSES].argmax(axis=1))
    labels = np.array([drawing.label for drawing in order])
    writers = np.array([drawing.writer for drawing in order])
    return {
        name: {"label": label} | proportion("accuracy", np.concatenate(predicted[name]) == labels, writers)
        for name, (label, _) in VARIANTS.items()
    }
