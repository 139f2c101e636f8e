"""When requests are due, in seconds, for `bench.load.open_loop`: without end, and whatever the service does.

A drawing is what the page makes of it: it asks once for each event of the pen that moved it (web/js/canvas.js), and
browsers deliver one such event a frame. The page would ask less often where answers take longer than a frame, for it
has one request under way at a time; that it does so is no merit of the service, and is left out.
"""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np
from pipeline.unipen import Drawing

FRAME_S = 1 / 60  # of the commonest screens


def steady(rate: float) -> Iterator[float]:
    """So many a second, at equal distances."""
    return (number / rate for number in itertools.count())


def poisson(rate: float, seed: int) -> Iterator[float]:
    """So many a second on average, each without regard to the others."""
    generator = random.Random(seed)  # noqa: S311, no secret
    return itertools.accumulate(generator.expovariate(rate) for _ in itertools.count())


def drawings(rate: float, n_requests: Sequence[int], seed: int) -> Iterator[float]:
    """Drawings begin without regard to each other; each asks once a frame until it is done.

    Args:
        rate: requests per second, on average.
        n_requests: of the drawings that are drawn from, each as likely as another.
        seed: of the beginnings, and of which drawing it is.
    """
    generator = random.Random(seed)  # noqa: S311, no secret
    drawings_per_s = rate * len(n_requests) / sum(n_requests)
    # From so early on that those that are under way at 0 s have all begun.
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
    """How often the page asks for a drawing whose every point comes as an event: a point where the last was is none."""
    return sum(1 + int(np.diff(stroke, axis=0).any(axis=1).sum()) for stroke in drawing.strokes)
