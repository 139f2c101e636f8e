"""Figures of each epoch of a training run."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pipeline.base.files import unreadable, write_table


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch.

    Attributes:
        epoch: 1 for the first.
        loss: mean over the training batches, with smoothed labels and the refusal loss.
        accuracy: on the digits of the training batches.
        val_loss: cross-entropy of the averaged weights at the end of the epoch, on validation digits only, in nats.
        val_accuracy: accuracy of the averaged weights, on the same digits.
        learning_rate: at the end of the epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


def kept_epoch(history: Sequence[Epoch], patience: int | None) -> Epoch:
    """Return the epoch to keep: the last one or, if `patience` is set, the one with the highest validation accuracy."""
    if not patience:
        return history[-1]
    # Not by loss: label smoothing makes the network underconfident, so the loss rises while the accuracy improves.
    # Among equal epochs, keep the latest: its average spans more steps.
    return max(history, key=lambda row: (row.val_accuracy, row.epoch))


def save_history(history: Sequence[Epoch], path: Path) -> None:
    """Write a CSV with a row per epoch."""
    write_table(path, [field.name for field in fields(Epoch)], [astuple(row) for row in history])


def read_history(path: Path) -> list[Epoch]:
    """Read what `save_history` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [Epoch(int(row.pop("epoch")), **{name: float(value) for name, value in row.items()}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise unreadable(path, error, "train") from error
