"""Time model files in turn, so that all of them run under the same load."""

import time
from collections.abc import Callable, Mapping

import numpy as np

Run = Callable[[np.ndarray], object]  # reads images, uint8 ``[n, height, width]``

N_WARM_UP = 20  # rounds


def draw_one(side: int) -> np.ndarray:
    """Return a picture of the digit 1: uint8 ``[1, side, side]``, dark on light."""
    image = np.full((1, side, side), 255, np.uint8)
    image[0, side // 4 : 3 * side // 4, side // 2 : side // 2 + max(2, side // 12)] = 0
    return image


def time_pairs(runs: Mapping[str, Run], image: np.ndarray, n_runs: int) -> dict[str, np.ndarray]:
    """Time each function `n_runs` times, in turn. Return microseconds, float64 ``[n_runs]``, by name."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(N_WARM_UP + n_runs):
        for name in list(runs)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            runs[name](image)
            times[name].append(1e6 * (time.perf_counter() - started))
    return {name: np.array(values[N_WARM_UP:]) for name, values in times.items()}
