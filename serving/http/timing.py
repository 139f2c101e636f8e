"""Measure how long each stage of a request takes."""

import time

from serving.queue.engine import Answer


class Timing:
    """The clock of one request. Its stages are reported to the client and the metrics.

    Attributes:
        started_s: when the first byte or the head of the request was read, by `time.perf_counter`.
        stages: name and seconds of each finished stage.
        facts: further fields of the request's line in the log.
    """

    __slots__ = ("_last_s", "facts", "stages", "started_s")

    def __init__(self, started_s: float | None = None) -> None:
        """Start the clock now, or at `started_s`."""
        self.started_s = self._last_s = time.perf_counter() if started_s is None else started_s
        self.stages: list[tuple[str, float]] = []
        self.facts: dict[str, str] = {}

    def start(self) -> None:
        """Start a stage. The time before it, such as the wait for the body, belongs to no stage."""
        self._last_s = time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage and start the next one."""
        now_s = time.perf_counter()
        self.stages.append((stage, now_s - self._last_s))
        self._last_s = now_s

    def elapsed_s(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.started_s

    def add_answer(self, answer: Answer) -> None:
        """Add the stages that the engine measured and the model's version, and start the next stage."""
        self.stages += (("queue", answer.queue_s), ("infer", answer.infer_s))
        self.facts["model_version"] = answer.card.version
        self.start()

    def end(self) -> str:
        """End the request. Return the value of the Server-Timing header, in milliseconds."""
        self.stages.append(("total", self.elapsed_s()))
        return ", ".join([f"{stage};dur={seconds * 1000:.3f}" for stage, seconds in self.stages])
