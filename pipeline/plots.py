"""Pictures of a training run, made without a display. The data behind each lies beside it as CSV."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.data import write_atomic
from pipeline.history import Epoch


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, without the metadata that would change its bytes from one version of the library to the next."""
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=110, metadata={"Software": None}))


def curves(history: Sequence[Epoch], best_epoch: int) -> Figure:
    """Loss and error rate by epoch, training and validation."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, error = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    for axes, title, training, validation in (
        (loss, "Loss", [row.loss for row in history], [row.val_loss for row in history]),
        (error, "Error, %", _error(row.accuracy for row in history), _error(row.val_accuracy for row in history)),
    ):
        axes.plot(epochs, training, label="training (warped, smoothed labels)")
        axes.plot(epochs, validation, label="validation (averaged weights)")
        axes.axvline(best_epoch, color="grey", linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.grid(alpha=0.3)
    loss.legend(fontsize="small")
    return figure


def _error(accuracies: Iterable[float]) -> list[float]:
    # The floor keeps a perfect epoch on the logarithmic axis.
    return [max(100 * (1 - accuracy), 0.01) for accuracy in accuracies]


def confusion(matrix: np.ndarray) -> Figure:
    """Confusion matrix, int ``[10, 10]`` of actual by predicted; the colour shows the mistakes alone."""
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = figure.subplots()
    mistakes = matrix * (1 - np.eye(len(matrix), dtype=int))
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1, mistakes.max() * 1.3))
    for actual, predicted in np.argwhere(matrix):
        count = matrix[actual, predicted]
        axes.text(
            predicted,
            actual,
            count,
            ha="center",
            va="center",
            fontsize=8,
            color="grey" if actual == predicted else "black",
        )
    axes.set(title=f"{mistakes.sum()} mistakes in {matrix.sum():,}", xlabel="predicted", ylabel="actual")
    axes.set(xticks=range(10), yticks=range(10))
    return figure
