"""Queues on paper, and what a load needs: arithmetic alone, nothing is measured here."""

import math
from collections.abc import Sequence

import numpy as np


def mean_wait_s(rate: float, service_s: float) -> float:
    """The mean time in an M/D/1 queue before service, by Pollaczek and Khinchine; infinite where it can't keep up.

    Args:
        rate: arrivals per second, Poisson.
        service_s: seconds that each takes the server.
    """
    load = rate * service_s
    return load * service_s / (2 * (1 - load)) if load < 1 else math.inf


def waits_s(due: Sequence[float], service_s: float, n_queues: int = 1, seed: int = 0) -> np.ndarray:
    """Each arrival's time before service, in queues without limit that start empty; none is refused.

    With arrivals as of a Poisson process and one queue this is M/D/1. Arrivals fall to queues at random, as connections
    fall to workers.

    Args:
        due: when each arrives, seconds, ascending.
        service_s: seconds that each takes its server.
        n_queues: each with a server of its own.
        seed: of which queue it is.

    Returns:
        Seconds, float64 ``[n]``.
    """
    times = np.asarray(due, np.float64)
    queue = np.random.default_rng(seed).integers(n_queues, size=len(times))
    waits = np.empty_like(times)
    for number in range(n_queues):
        own = np.flatnonzero(queue == number)
        # Lindley's recursion in closed form: work that came so far, less the time in which it could be done.
        ahead = np.arange(len(own)) * service_s - times[own]
        waits[own] = ahead - np.minimum.accumulate(ahead)
    return waits


def replicas(needed: float, served: float, headroom: float) -> int:
    """How many are needed where each serves so much and is to be filled but for a share, the headroom, 0 to 1."""
    return math.ceil(needed / (served * (1 - headroom)))
