"""How long each stage of a request takes."""

import time

from serving.queue.engine import Answer


class Timing:
    """The clock of one request; its stages are told to the client and to the metrics.

    Attributes:
        started_s: when the request's head was read, or its first byte, by `time.perf_counter`.
        stages: name and seconds of each stage that ended.
    """

    __slots__ = ("_last_s", "stages", "started_s")

    def __init__(self, started_s: float | None = None) -> None:
        """Starts the clock now, unless it was started before."""
        self.started_s = self._last_s = time.perf_counter() if started_s is None else started_s
        self.stages: list[tuple[str, float]] = []

    def start(self) -> None:
        """Starts a stage: what was before it belongs to none, such as waiting for the client's body."""
        self._last_s = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage: it took the time since the last one ended or this one started."""
        now_s = time.perf_counter()
        self.stages.append((stage, now_s - self._last_s))
        self._last_s = now_s

    def elapsed_s(self) -> float:
        """Since the start."""
        return time.perf_counter() - self.started_s

    def add_answer(self, answer: Answer) -> None:
        """The stages that the engine has measured; the next one starts."""
        self.stages += (("queue", answer.queue_s), ("infer", answer.infer_s))
        self.start()

    def end(self) -> str:
        """Ends the request; returns the Server-Timing header's value, in milliseconds."""
        self.stages.append(("total", self.elapsed_s()))
        return ", ".join([f"{stage};dur={seconds * 1000:.3f}" for stage, seconds in self.stages])
