"""Measure how much each part of the training images contributes.

python -m bench.ablation [--epochs 8]

Train with the parameters of params.yaml, but fewer epochs, on several combinations of training images. They contain all
of MNIST or the 5,000 embedded images, pen strokes of Pendigits or none, and generated digits or none. Every variant
sees the same number of digits, with repetitions, and the same share of non-digits. In every variant, a few non-digits
contain strokes of Pendigits. Accuracy is measured from raw pixels, on MNIST's test images and on the strokes of unseen
writers.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench import begin, embedded_images
from pipeline.base.errors import DataError, InklingError
from pipeline.base.markdown import percent, table
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.dataset.splits import Split, join, load_card, load_split, split_by_part
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells
from pipeline.ink.normalize import normalize_all
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader, read_all
from pipeline.runtime.mode import set_up, use_float32
from pipeline.training.trainer import Trainer

# The parts that each variant is trained on, besides the non-digits.
VARIANTS = {
    "MNIST": ("mnist",),
    "MNIST, generated digits": ("mnist", "skeletons"),
    "MNIST, Pendigits": ("mnist", "pendigits"),
    "MNIST, Pendigits, generated digits": ("mnist", "pendigits", "skeletons"),
    "embedded images": ("embedded",),
    "embedded images, generated digits": ("embedded", "skeletons"),
}
NO_DECISION = {"digit_score": 0.5, "confidence": 0.5}  # accuracy does not depend on the state


def head(split: Split, n_images: int) -> Split:
    """Return the first images of a split."""
    return Split(split.images[:n_images], split.labels[:n_images])


def train(config: Config, digits: Split, others: Split, n_shown: int) -> Reader:
    """Train a network on `digits` and `others`, until it has seen about `n_shown` digits. Return its reader."""
    n_epochs = max(1, round(n_shown / len(digits.labels)))
    recipe = config.train.model_copy(update={"epochs": n_epochs, "warmup_epochs": n_epochs / 8})
    set_up(config.runtime, recipe.seed)
    # Validation chooses nothing here, so ten images are enough.
    trainer = Trainer(build_network(config.model), join([digits, others]), head(digits, 10), recipe)
    for number in range(1, n_epochs + 1):
        trainer.run_epoch(number)
    use_float32()
    network = build_network(config.model)
    network.set_weights(trainer.average.get_weights())
    return Reader(network, Calibration(1.0, NO_DECISION))


def _run(n_epochs: int) -> dict[str, dict[str, float]]:
    config, card, everything = load_config(), load_card(), load_split("train")
    set_up(config.runtime, config.train.seed)  # before the normaliser starts TensorFlow
    parts = split_by_part(everything, card.parts["train"])
    embedded = embedded_images()
    parts["embedded"] = Split(normalize_all(embedded.images), embedded.labels)
    others = parts.pop("nondigits")
    n_digits = len(everything.labels) - len(others.labels)
    test, canvases, labels = load_split("test"), *_draw_cells()
    results = {}
    print(f"{'learnt from':>36} {'MNIST test, %':>14} {'14 writers, %':>14} {'worst way, %':>13}")
    for name, chosen in VARIANTS.items():
        digits = join(parts[part] for part in chosen)
        share = len(digits.labels) / n_digits
        reader = train(config, digits, head(others, round(share * len(others.labels))), n_epochs * n_digits)
        cells = {cell: Answered(labels, read_all(reader, images)) for cell, images in canvases.items()}
        figures = measure("test", Answered(test.labels, read_all(reader, test.images)), NO_DECISION)
        figures |= average(measure_cells(cells, NO_DECISION))
        wanted = ("test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")
        results[name] = {key: figures[key] for key in wanted}
        print(f"{name:>36}", *(f"{100 * results[name][key]:>13.2f}" for key in wanted), flush=True)
    return results


def _draw_cells() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the canvases of each cell, which all variants share (2 GB), and the labels."""
    drawings = load_test_drawings()
    if not drawings:
        raise DataError("the prepared data has no pen strokes: set data.pendigits=true and run `dvc repro prepare`")
    canvases = {cell.name: np.concatenate(list(draw_cell(drawings, cell))) for cell in CELLS}
    return canvases, np.array([drawing.label for drawing in drawings], np.int32)


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    rows = [
        (name, *(percent(figures[key]) for key in ("test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")))
        for name, figures in results["variants"].items()
    ]
    return (
        f"## What each kind of image is worth\n\n`{results['origin']['command']}`. Each variant is "
        f"shown as many digits as {results['epochs']} epochs of all have; the recipe is otherwise the model's.\n\n"
        + table(("learnt from", "MNIST test", "14 writers", "worst of eight ways"), rows)
    )


def main() -> None:
    """Train and measure each variant, print a table, and write bench/results/ablation.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--epochs",
        type=int,
        default=8,
        help="number of epochs over all digits; a smaller variant has more epochs, so that it sees as many digits",
    )
    n_epochs = parser.parse_args().epochs
    save = begin("ablation")
    try:
        results = _run(n_epochs)
    except InklingError as error:
        sys.exit(f"error: {error}")
    save({"epochs": n_epochs, "variants": results})


if __name__ == "__main__":
    main()
