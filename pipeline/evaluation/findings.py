"""What an experiment showed, in a sentence that is made from its figures."""

from collections.abc import Sequence

import numpy as np

from pipeline.base.markdown import percent
from pipeline.evaluation.statistics import mcnemar, shown_p
from pipeline.network.history import Epoch

DEAD_SHARE = 0.9  # of the answers; a network that says one digit this often has learnt nothing
P = 0.05  # below it, a difference is one
OVERFITTED = 1.1  # the validation loss at the end, relative to its least
COSTLY = 1.5  # seconds of an epoch, relative to the baseline's


def finding(
    is_right: np.ndarray,
    history: Sequence[Epoch],
    seconds: float,
    favourite: tuple[int, float],
    baseline: tuple[np.ndarray, float] | None,
) -> str:
    """One sentence: what became of the accuracy, of the validation loss, and of the time, if it is worth saying.

    Args:
        is_right: bool ``[n]``, of each test image.
        history: of all epochs.
        seconds: of an epoch.
        favourite: the digit that is answered most often, and its share of the answers.
        baseline: the baseline's `is_right` and `seconds`; None of itself.
    """
    digit, share = favourite
    if share >= DEAD_SHARE:
        return f"It learnt nothing: {digit} is its answer to {percent(share, 1)} of the test images."
    said = ["What the others are compared with" if baseline is None else _difference(is_right, baseline[0])]
    least = min(history, key=lambda row: row.val_loss)
    if history[-1].val_loss > OVERFITTED * least.val_loss and history[-1].loss < least.loss:
        said.append(
            f"after epoch {least.epoch} the validation loss rose from {least.val_loss:.3f} to "
            f"{history[-1].val_loss:.3f}, while the training loss fell to {history[-1].loss:.3f}"
        )
    if baseline and seconds >= COSTLY * baseline[1]:
        said.append(f"an epoch took {seconds / baseline[1]:.1f} times as long")
    return "; ".join(said) + "."


def _difference(is_right: np.ndarray, baseline: np.ndarray) -> str:
    n_better, n_worse, p = mcnemar(is_right, baseline)
    points = 100 * (n_better - n_worse) / len(is_right)
    if p >= P:
        return f"No more than chance apart from the baseline ({points:+.2f} points, {shown_p(p)})"
    return f"{abs(points):.2f} points {'better' if points > 0 else 'worse'} than the baseline ({shown_p(p)})"
