"""What the connections of a process share: their limits, and which of them gives way when a limit is reached."""

import asyncio
import time


class Crowd:
    """All connections of a process.

    Attributes:
        n_body_bytes: size of the bodies of all requests without an answer yet.
    """

    def __init__(self) -> None:
        self.n_body_bytes = 0
        # By address, the connections without a complete head, and when each may be closed; the oldest first.
        self._waiting: dict[str, dict[asyncio.Transport, float]] = {}

    def wait(self, address: str, transport: asyncio.Transport, may_close_s: float) -> None:
        """Note that a connection waits for a head, and from when on it may be closed to make room."""
        self._waiting.setdefault(address, {})[transport] = may_close_s

    def proceed(self, address: str, transport: asyncio.Transport) -> None:
        """Note that a connection has a complete head, or is lost."""
        waiting = self._waiting.get(address, {})
        waiting.pop(transport, None)
        if not waiting:
            self._waiting.pop(address, None)

    def make_room(self) -> bool:
        """Close the oldest connection without a complete head, of the address that has most of them."""
        if not self._waiting:
            return False
        address, waiting = max(self._waiting.items(), key=lambda item: len(item[1]))
        transport, may_close_s = next(iter(waiting.items()))
        if may_close_s > time.perf_counter():
            return False
        self.proceed(address, transport)
        transport.close()
        return True
