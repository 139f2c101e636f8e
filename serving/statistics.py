"""What the model has done since the service started, as the V2 protocol's statistics tell it."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.engine import Answer


@dataclass
class Duration:
    """How often something was done, and how long that took in all."""

    count: int = 0
    ns: int = 0

    def add(self, duration_s: float) -> None:
        """Counts one more."""
        self.count += 1
        self.ns += round(duration_s * 1e9)


@dataclass
class ModelStatistics:
    """The counts of one model.

    Attributes:
        inference_count: images.
        execution_count: runs, each of a batch.
        last_inference_ms: since 1970; 0 before the first.
        success: requests that were answered, from their entry in the queue on.
        fail: requests that were not.
        queue: from a request's entry in the queue to its run.
        compute_input: making the input tensors ready.
        compute_infer: runs.
        compute_output: making the output tensors ready.
        batch_infer: runs by the number of their images.
    """

    inference_count: int = 0
    execution_count: int = 0
    last_inference_ms: int = 0
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)
    batch_infer: dict[int, Duration] = field(default_factory=dict)

    def observe(self, _: npt.NDArray[np.uint8], answer: Answer) -> None:
        """Counts one run: an observer for the engine."""
        self.inference_count += answer.n_batch
        self.execution_count += 1
        self.last_inference_ms = time.time_ns() // 1_000_000
        self.success.add(answer.queue_s + answer.infer_s)
        self.queue.add(answer.queue_s)
        self.compute_infer.add(answer.infer_s)
        self.batch_infer.setdefault(answer.n_batch, Duration()).add(answer.infer_s)

    def document(self) -> dict[str, Any]:
        """The protocol's fields but for the model's name and version."""
        steps = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
        return {
            "last_inference": self.last_inference_ms,
            "inference_count": self.inference_count,
            "execution_count": self.execution_count,
            "inference_stats": {step: asdict(getattr(self, step)) for step in steps},
            "batch_stats": [
                {
                    "batch_size": size,
                    "compute_input": asdict(Duration()),
                    "compute_infer": asdict(duration),
                    "compute_output": asdict(Duration()),
                }
                for size, duration in sorted(self.batch_infer.items())
            ],
        }
