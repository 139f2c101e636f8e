"""Whether one more request is taken: a short wait for those that are, and a quick no for the rest.

Under a burst, waiting is right; under lasting overload it is not, because then every answer is late. So a long queue is
let be for a moment; where it stays long, only as much is taken for a while as keeps the model busy (compare B. Maurer,
"Fail at Scale", ACM Queue 13(8), 2015). What counts is how many wait, not for how long: a moment in which the machine
was busy with something else is no overload.
"""

import math
import time

# A queue is short up to here, some full batches. So many clients that each await their answer never see a refusal.
N_SHORT = 32

# A queue that stays longer than that for this time is overload.
BURST_S = 0.1

# Overload is taken to last so long. A queue that is long again right after it, within as much, is more of the same.
OVERLOAD_S = 1.0

# How long overload that is more of the same is taken to last. Finding out that it lasts lets a queue become long, and
# those who stand in it wait longer than all others: they should be far fewer than one in a hundred.
LASTING_S = 3.0

# How many may wait under overload: enough for a batch to be worth while.
N_UNDER_OVERLOAD = 8


class AdmissionControl:
    """The limit, and what it is held against.

    Attributes:
        n_taken: requests that were taken and are not yet answered. Tasks would be too many: one that has sent its
            answer ends a round of the event loop later, when the client's next request may have been read.
        n_receiving: of them, those whose body is still on its way: they wait for their clients.
        n_body_bytes: of all requests that are not yet answered.
    """

    def __init__(self, max_waiting: int) -> None:
        """Takes up to `max_waiting` requests at a time while there is no overload."""
        self.n_taken = 0
        self.n_receiving = 0
        self.n_body_bytes = 0
        self._max_waiting = max_waiting
        self._long_since_s = math.inf
        self._overloaded_until_s = -math.inf

    def admits(self, n_waiting: int) -> bool:
        """Whether one more request is taken while `n_waiting` others wait for their answers."""
        now_s = time.perf_counter()
        if n_waiting >= self._max_waiting:
            return False
        if now_s < self._overloaded_until_s:
            return n_waiting < N_UNDER_OVERLOAD
        if n_waiting < N_SHORT:
            self._long_since_s = math.inf
            return True
        self._long_since_s = min(self._long_since_s, now_s)
        is_more_of_the_same = now_s <= self._overloaded_until_s + OVERLOAD_S
        if now_s < self._long_since_s + BURST_S and not is_more_of_the_same:
            return True
        self._long_since_s = math.inf
        self._overloaded_until_s = now_s + (LASTING_S if is_more_of_the_same else OVERLOAD_S)
        return False
