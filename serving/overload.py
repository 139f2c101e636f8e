"""Whether one more request is taken: a short wait for those that are, and a quick no for the rest.

Under a burst, waiting is right; under lasting overload it is not, because then every answer is late. So the limit on
what waits is generous until answers take too long, and small from then on until nothing has had to be refused for a
while: the controlled delay of request queues (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
"""

import time

# A request that waited longer than this, from its head to its run, says that more is asked than can be answered.
MAX_WAIT_S = 0.05

# How many may wait under overload: enough for a batch to be worth while.
N_UNDER_OVERLOAD = 8

# Overload is over when nothing has been refused, and nothing was late, for so long.
RECOVERY_S = 0.25


class Gate:
    """The limit, and what it is held against besides the server's own count of requests.

    Attributes:
        n_receiving: requests whose body is still on its way: they wait for their clients.
        n_body_bytes: of all requests that are not yet answered.
    """

    def __init__(self, max_waiting: int) -> None:
        """Takes up to `max_waiting` requests at a time while there is no overload."""
        self.n_receiving = 0
        self.n_body_bytes = 0
        self._max_waiting = max_waiting
        self._n_under_overload = min(N_UNDER_OVERLOAD, max_waiting)
        self._overloaded_until_s = 0.0

    def admits(self, n_waiting: int) -> bool:
        """Whether one more request is taken while `n_waiting` others wait for their answers."""
        if n_waiting < self._n_under_overload:
            return True
        now_s = time.perf_counter()
        if n_waiting < self._max_waiting and now_s >= self._overloaded_until_s:
            return True
        self._overloaded_until_s = now_s + RECOVERY_S
        return False

    def report(self, wait_s: float) -> None:
        """Tells how long a request has waited for the model."""
        if wait_s > MAX_WAIT_S:
            self._overloaded_until_s = time.perf_counter() + RECOVERY_S
