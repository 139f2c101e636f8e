"""Predict how long a new request would wait."""

import math
import time

# The rate is an average over about this much work.
MEMORY_S = 1.0

# A longer interval counts as this one, so that one pause of the machine is not mistaken for slow work.
LONGEST_S = 0.25

# The average starts with these answers and seconds. Their rate is high, so that the first burst is accepted.
FIRST_ANSWERS = 50.0
FIRST_WORK_S = 0.01


class Backlog:
    """The complete requests that wait for the event loop, and the rate at which it answers them.

    Attributes:
        n_requests: number of these requests; work in a thread is not the event loop's.
    """

    def __init__(self, n_batch: int) -> None:
        """Start without requests. `n_batch` requests are answered together."""
        self.n_requests = 0
        self._n_batch = n_batch
        self._n_answers = FIRST_ANSWERS
        self._work_s = FIRST_WORK_S
        self._last_s = 0.0

    def enter(self) -> None:
        """Add a request. Time without any request is not measured."""
        if not self.n_requests:
            self._last_s = time.perf_counter()
        self.n_requests += 1

    def leave(self) -> None:
        """Remove a request without an answer: it continues in a thread, or its connection was lost."""
        self.n_requests -= 1

    def answer(self) -> None:
        """Remove an answered request, and update the rate."""
        now_s = time.perf_counter()
        work_s = min(now_s - self._last_s, LONGEST_S)
        weight = math.exp(-work_s / MEMORY_S)
        self._n_answers = weight * self._n_answers + 1
        self._work_s = weight * self._work_s + work_s
        self._last_s = now_s
        self.n_requests -= 1

    def admits(self, max_wait_s: float) -> bool:
        """Return whether another request fits into the next batch, or is expected to wait no longer than this."""
        return self.n_requests < self._n_batch or self.seconds(self.n_requests) <= max_wait_s

    def seconds(self, n_requests: int) -> float:
        """Return the expected time for answering this number of requests."""
        return n_requests * self._work_s / self._n_answers
