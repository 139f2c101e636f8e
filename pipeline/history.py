"""The figures of each epoch of a training run."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pipeline.data import write_table


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch. Loss in training includes label smoothing, in validation it does not.

    Attributes:
        epoch: 1 for the first.
        loss, accuracy: of the training batches, while the weights moved.
        val_loss, val_accuracy: of the averaged weights at the end of the epoch.
        learning_rate: at the end of the epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """The epoch to keep: highest validation accuracy, and of equals the latest."""
    # Not by loss: with smoothed labels the network grows underconfident, and validation loss rises while it still
    # improves; the temperature mends that afterwards. Of equals the latest: its average spans more steps.
    return max(history, key=lambda row: (row.val_accuracy, row.epoch))


def save_history(history: Sequence[Epoch], path: Path) -> None:
    """Write a CSV, a row an epoch."""
    write_table(path, [field.name for field in fields(Epoch)], [astuple(row) for row in history])
