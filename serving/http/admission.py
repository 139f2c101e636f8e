"""Admission control: accept a request if it can be answered soon, otherwise reject it at once.

A burst of requests may wait. A queue that stays long means overload, in which waiting would only make every answer
late. Then, for some time, only enough requests are accepted to keep the model busy (compare B. Maurer, "Fail at Scale",
ACM Queue 13(8), 2015). The length of the queue decides, not the waiting time, because a short pause of the machine is
not overload.
"""

import math
import time

# Longest queue that counts as short: a few full batches. So many clients with one request each are never rejected.
N_SHORT = 32

# A queue that stays longer than N_SHORT for this time is overload.
BURST_S = 0.1

# Duration of the first overload. If the queue is long again within the same time afterwards, the overload is lasting.
OVERLOAD_S = 1.0

# Duration of a lasting overload. After it the queue grows again, and the requests in this queue wait longest. They
# should be far fewer than one in a hundred.
LASTING_S = 3.0

# Requests that may wait under overload: enough for useful batches.
N_UNDER_OVERLOAD = 8


class AdmissionControl:
    """Decides which requests are accepted. The connections update its counters.

    Attributes:
        n_accepted: accepted requests without an answer yet. Counting tasks would give too many: a task ends one
            iteration of the event loop after its answer, and by then the client's next request may have arrived.
        n_receiving: accepted requests whose body is still incomplete; they wait for their clients.
        n_body_bytes: size of the bodies of all requests without an answer yet.
    """

    def __init__(self, max_waiting: int) -> None:
        """Accept up to `max_waiting` requests at a time while there is no overload."""
        self.n_accepted = 0
        self.n_receiving = 0
        self.n_body_bytes = 0
        self._max_waiting = max_waiting
        self._long_since_s = math.inf
        self._overloaded_until_s = -math.inf

    def admits(self, n_waiting: int) -> bool:
        """Return whether to accept another request while `n_waiting` others wait for their answers."""
        now_s = time.perf_counter()
        if n_waiting >= self._max_waiting:
            return False
        if now_s < self._overloaded_until_s:
            return n_waiting < N_UNDER_OVERLOAD
        if n_waiting < N_SHORT:
            self._long_since_s = math.inf
            return True
        self._long_since_s = min(self._long_since_s, now_s)
        is_lasting = now_s <= self._overloaded_until_s + OVERLOAD_S
        if now_s < self._long_since_s + BURST_S and not is_lasting:
            return True
        self._long_since_s = math.inf
        self._overloaded_until_s = now_s + (LASTING_S if is_lasting else OVERLOAD_S)
        return False
