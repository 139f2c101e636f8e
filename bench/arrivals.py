"""Endless sequences of arrival times of requests, in seconds, for `bench.load.open_loop`.

A drawing sends one request for each pen event that moves the pen (web/js/sheet/canvas.js); browsers deliver one event
per frame. The real page waits for each answer, so it sends fewer requests if an answer takes longer than a frame. This
is not modelled, because it would hide a slow service.
"""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.sources.unipen import Drawing

FRAME_S = 1 / 60  # most screens


def poisson(rate: float, seed: int) -> Iterator[float]:
    """Yield independent arrival times, on average `rate` per second."""
    generator = random.Random(seed)  # noqa: S311, no secret
    return itertools.accumulate(generator.expovariate(rate) for _ in itertools.count())


def drawings(rate: float, n_requests: Sequence[int], seed: int) -> Iterator[float]:
    """Yield the arrival times for drawings that begin independently and send one request per frame.

    Args:
        rate: requests per second, on average.
        n_requests: the number of requests of each possible drawing; all are equally likely.
        seed: seed for the start times and for the choice of drawings.
    """
    generator = random.Random(seed)  # noqa: S311, no secret
    drawings_per_s = rate * len(n_requests) / sum(n_requests)
    # Begin early enough to include every drawing that is unfinished at 0 s.
    begin_s = generator.expovariate(drawings_per_s) - max(n_requests) * FRAME_S
    asked: list[float] = []
    while True:
        while not asked or begin_s <= asked[0]:
            for number in range(generator.choice(n_requests)):
                heapq.heappush(asked, begin_s + number * FRAME_S)
            begin_s += generator.expovariate(drawings_per_s)
        if (due_s := heapq.heappop(asked)) >= 0:
            yield due_s


def requests_of(drawing: Drawing) -> int:
    """Return the number of requests for a drawing: one per point at which the pen has moved."""
    return sum(1 + int(np.diff(stroke, axis=0).any(axis=1).sum()) for stroke in drawing.strokes)
