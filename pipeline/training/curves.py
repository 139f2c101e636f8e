"""Plots of training runs."""

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.network.history import Epoch


def curves(history: Sequence[Epoch], kept_epoch: int) -> Figure:
    """Plot loss and error rate by epoch, for training and validation."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, error = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    for axes, title, training, validation in (
        (loss, "Loss", [row.loss for row in history], [row.val_loss for row in history]),
        (error, "Error, %", _error(row.accuracy for row in history), _error(row.val_accuracy for row in history)),
    ):
        axes.plot(epochs, training, label="training (warped; the images of the epoch)")
        axes.plot(epochs, validation, label="validation (averaged weights)")
        axes.axvline(kept_epoch, color="grey", linestyle=":", label=f"kept: epoch {kept_epoch}")
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    loss.legend(fontsize="small")
    return figure


def comparison(histories: Mapping[str, Sequence[Epoch]]) -> Figure:
    """Plot the validation error and both losses by epoch, for several runs by name."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    error, loss = figure.subplots(1, 2)
    for number, (name, history) in enumerate(histories.items()):
        epochs, colour = [row.epoch for row in history], f"C{number}"
        error.plot(epochs, _error(row.val_accuracy for row in history), color=colour, marker=".", label=name)
        loss.plot(epochs, [row.val_loss for row in history], color=colour, marker=".")
        loss.plot(epochs, [row.loss for row in history], color=colour, linestyle=":")
    error.set(title="Validation error, %", xlabel="epoch", yscale="log")
    loss.set(title="Loss: validation (solid), training (dotted)", xlabel="epoch", yscale="log")
    for axes in (error, loss):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    error.legend(fontsize="small")
    return figure


def _error(accuracies: Iterable[float]) -> list[float]:
    # A logarithmic axis cannot show 0, the error of a perfect epoch.
    return [max(100 * (1 - accuracy), 0.01) for accuracy in accuracies]
