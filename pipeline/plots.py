"""Pictures of a training run, made without a display. The data behind each lies beside it as CSV."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from pipeline.data import write_atomic
from pipeline.history import Epoch


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, without the metadata that would change its bytes from one version of the library to the next."""
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=110, metadata={"Software": None}))


def curves(history: Sequence[Epoch], kept_epoch: int) -> Figure:
    """Loss and error rate by epoch, training and validation."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, error = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    for axes, title, training, validation in (
        (loss, "Loss", [row.loss for row in history], [row.val_loss for row in history]),
        (error, "Error, %", _error(row.accuracy for row in history), _error(row.val_accuracy for row in history)),
    ):
        axes.plot(epochs, training, label="training (warped; with refusal)")
        axes.plot(epochs, validation, label="validation (averaged weights)")
        axes.axvline(kept_epoch, color="grey", linestyle=":", label=f"kept: epoch {kept_epoch}")
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.grid(alpha=0.3)
    loss.legend(fontsize="small")
    return figure


def _error(accuracies: Iterable[float]) -> list[float]:
    # The floor keeps a perfect epoch on the logarithmic axis.
    return [max(100 * (1 - accuracy), 0.01) for accuracy in accuracies]
