"""Queueing theory, and the replicas for a load. Nothing is measured here."""

import math
from collections.abc import Sequence

import numpy as np


def mean_wait_s(rate: float, service_s: float) -> float:
    """Return the mean waiting time of an M/D/1 queue (Pollaczek and Khinchine), infinite if it cannot keep up.

    Args:
        rate: Poisson arrivals per second.
        service_s: seconds of service for each.
    """
    load = rate * service_s
    return load * service_s / (2 * (1 - load)) if load < 1 else math.inf


def waits_s(due: Sequence[float], service_s: float, n_queues: int = 1, seed: int = 0) -> np.ndarray:
    """Return the waiting time of each arrival, in unlimited queues that start empty.

    Poisson arrivals and one queue make this M/D/1. Arrivals choose a queue at random, like connections a worker.

    Args:
        due: arrival times in seconds, ascending.
        service_s: seconds of service for each.
        n_queues: number of queues, each with its own server.
        seed: seed for the choice of the queue.

    Returns:
        Seconds, float64 ``[n]``.
    """
    times = np.asarray(due, np.float64)
    queue = np.random.default_rng(seed).integers(n_queues, size=len(times))
    waits = np.empty_like(times)
    for number in range(n_queues):
        own = np.flatnonzero(queue == number)
        # Lindley's recursion in closed form: the work that arrived, minus the time available for it.
        ahead = np.arange(len(own)) * service_s - times[own]
        waits[own] = ahead - np.minimum.accumulate(ahead)
    return waits


def replicas(needed: float, served: float, headroom: float) -> int:
    """Return the number of replicas that serve `served` each, with a share `headroom` (0 to 1) kept free."""
    return math.ceil(needed / (served * (1 - headroom)))
