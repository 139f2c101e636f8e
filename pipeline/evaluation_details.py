"""The evaluation down to the single digit, which the model file carries for a page that shows what figures hide."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.metrics import Answered, confusion_matrix
from pipeline.mistakes import worst_mistakes
from pipeline.reliability import Bin

MOST_MISTAKES = 300  # all of a good reader's; with their pixels a kilobyte each
KEYS = {"MNIST": "mnist", "pen strokes": "strokes"}  # of the confusion matrices


def details(
    tests: Mapping[str, Answered], bins: Mapping[str, Sequence[Bin]], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """What the figures are made of.

    Args:
        tests: the answers by the name of the test set; in each, a digit once.
        bins: the reliability of each.
        thresholds: as `states` takes them.

    Returns:
        ``confusion``: counts by actual and predicted digit, of "mnist" and "strokes"; ``reliability``: rows of `Bin`
        after their ``test``; ``mistakes``: the misread ones as `Mistake` has them, the surest first and at most
        `MOST_MISTAKES`, with ``pixels``, the 28x28 bytes that the network saw, in base64.
    """
    mistakes = [
        mistake._asdict() | {"pixels": _pixels(tests[mistake.source], mistake.image)}
        for mistake in worst_mistakes(tests, thresholds, MOST_MISTAKES)
    ]
    return {
        "confusion": {KEYS[name]: confusion_matrix(test).tolist() for name, test in tests.items()},
        "reliability": [{"test": name} | row._asdict() for name, rows in bins.items() for row in rows],
        "mistakes": mistakes,
    }


def _pixels(test: Answered, number: int) -> str:
    return base64.b64encode(test.answers["normalized"][number].tobytes()).decode("ascii")
