"""A sentence on the result of an experiment, generated from its figures."""

from collections.abc import Sequence

import numpy as np

from pipeline.base.markdown import percent
from pipeline.evaluation.statistics import compare, format_p
from pipeline.network.history import Epoch

DEAD_SHARE = 0.9  # a network that gives the same answer this often did not learn
P = 0.05  # significance level
OVERFITTED = 1.1  # last validation loss relative to the lowest
COSTLY = 1.5  # seconds per epoch relative to the baseline


def finding(
    is_right: np.ndarray,
    history: Sequence[Epoch],
    seconds: float,
    most_frequent: tuple[int, float],
    baseline: tuple[np.ndarray, float] | None,
) -> str:
    """Describe accuracy, overfitting and training time in one sentence.

    Args:
        is_right: bool ``[n]``, for each test image.
        history: all epochs.
        seconds: seconds per epoch.
        most_frequent: the most frequent answer, and its share of the answers.
        baseline: `is_right` and `seconds` of the baseline; None for the baseline itself.
    """
    digit, share = most_frequent
    if share >= DEAD_SHARE:
        return f"The network did not learn: it answers {digit} for {percent(share, 1)} of the test images."
    parts = [
        "The other experiments are compared with this one" if baseline is None else _difference(is_right, baseline[0])
    ]
    least = min(history, key=lambda row: row.val_loss)
    if history[-1].val_loss > OVERFITTED * least.val_loss and history[-1].loss < least.loss:
        parts.append(
            f"after epoch {least.epoch} the validation loss rose from {least.val_loss:.3f} to "
            f"{history[-1].val_loss:.3f}, while the training loss fell to {history[-1].loss:.3f}"
        )
    if baseline and seconds >= COSTLY * baseline[1]:
        parts.append(f"each epoch took {seconds / baseline[1]:.1f} times as long")
    return "; ".join(parts) + "."


def _difference(is_right: np.ndarray, baseline: np.ndarray) -> str:
    _, _, points, p = compare(is_right, baseline)
    if p >= P:
        return f"No significant difference from the baseline ({points:+.2f} points, {format_p(p)})"
    return f"{abs(points):.2f} points {'better' if points > 0 else 'worse'} than the baseline ({format_p(p)})"
