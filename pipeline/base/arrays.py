"""Arrays in batches."""

from collections.abc import Mapping, Sequence

import numpy as np


def join_batches(batches: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenate the arrays of each name."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
