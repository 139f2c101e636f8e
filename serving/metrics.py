"""What the service counts, in memory that its worker processes share, and as Prometheus reads it.

Each worker has a row of cells of its own and adds to that alone, so there is nothing to lock; a scrape sums the rows,
whichever worker it reaches. The text is Prometheus' exposition format 0.0.4.
"""

import math
import mmap
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, product
from pathlib import Path
from typing import get_args

from serving.errors import request_errors
from serving.model.decisions import READ, State
from serving.queue.engine import MAX_BATCH_IMAGES, Answer, Images

CELL_BYTES = 8  # a float64
STATM = Path("/proc/self/statm")  # Linux alone has it; its second field is resident pages

# Of "none", nothing is known: it was refused before its head was read.
API_ROUTES = ("/api/predict", "/api/model", "/api/network", "/api/drawings")
ROUTES = (*API_ROUTES, "/v2/infer", "/v2/health", "/v2", "/metrics", "page", "none")
STATUSES = ("200", "201", "304", *sorted({str(error.status) for error in request_errors()}), "other")
REASONS = tuple(dict.fromkeys(error.reason for error in request_errors()))
STAGES = ("decode", "queue", "infer", "encode", "total", "refused")
STATES: tuple[str, ...] = get_args(State)
DIGITS = tuple("0123456789")
BATCHES = (*(str(n_images) for n_images in range(1, MAX_BATCH_IMAGES + 1)), "more")
LOADS = ("loaded", "refused", "unloaded")
SHADOW_VERDICTS = ("same", "other")
SHADOW_DROPPED = ("busy", "too_large", "gone")  # gone: its process has died

STAGE_BOUNDS_S = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 5.0)
SCORE_BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)

Labels = tuple[str, ...]


@dataclass
class Metric:
    """A counter or a gauge: one number for each combination of label values, all of them known beforehand.

    Attributes:
        kind: "counter" or "gauge".
        labels: the values of each label, by its name.
        merge: one number out of those of all workers.
    """

    name: str
    about: str
    kind: str = "counter"
    labels: dict[str, Sequence[str]] = field(default_factory=dict)
    merge: Callable[[Iterable[float]], float] = sum

    def __post_init__(self) -> None:
        """Gives each combination its place."""
        self._width = self._cells_each()
        self._place = {labels: place * self._width for place, labels in enumerate(product(*self.labels.values()))}
        self.n_cells = len(self._place) * self._width
        self._samples = [name for labels in self._place for name in self._names(labels)]

    def _names(self, labels: Labels) -> Iterator[str]:
        """Of the samples of these label values, as `lines` gives them: made once, as a scrape should cost little."""
        yield self.name + self._braces(labels)

    def _cells_each(self) -> int:
        return 1

    def bind(self, cells: "memoryview[float]") -> None:
        """Counts from now on in these cells, `n_cells` of them."""
        self._cells = cells

    def add(self, *labels: str, amount: float = 1) -> None:
        """Adds to this worker's number for these label values."""
        self._cells[self._place[labels]] += amount

    def set(self, value: float, *labels: str) -> None:
        """Replaces this worker's number."""
        self._cells[self._place[labels]] = value

    def clear(self) -> None:
        """Sets all of this worker's numbers to 0."""
        for place in range(self.n_cells):
            self._cells[place] = 0.0

    def value(self, cells: Sequence[float], *labels: str) -> float:
        """The number of these label values among the metric's own summed `cells`."""
        return cells[self._place[labels]]

    def lines(self, cells: Sequence[float]) -> Iterator[str]:
        """The samples, of the metric's own summed `cells`."""
        return _lines(self._samples, cells)

    def _braces(self, labels: Labels, *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, labels, strict=True), *more]
        return "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + "}" if pairs else ""


@dataclass
class Histogram(Metric):
    """How often a value was up to each bound, how often in all, and the sum of the values.

    Attributes:
        bounds: upper bounds of the buckets, inclusive and rising; one more bucket takes what is above.
    """

    kind: str = "histogram"
    bounds: tuple[float, ...] = ()

    def _cells_each(self) -> int:
        return len(self.bounds) + 2  # the bucket of what is above, and the sum

    def observe(self, value: float, *labels: str) -> None:
        """Counts one value."""
        start = self._place[labels]
        self._cells[start + bisect_left(self.bounds, value)] += 1
        self._cells[start + self._width - 1] += value

    def count(self, cells: Sequence[float], *labels: str) -> int:
        """How many values were observed."""
        start = self._place[labels]
        return round(sum(cells[start : start + self._width - 1]))

    def total(self, cells: Sequence[float], *labels: str) -> float:
        """The sum of the values."""
        return cells[self._place[labels] + self._width - 1]

    def _names(self, labels: Labels) -> Iterator[str]:
        for bound in (*self.bounds, math.inf):
            le = "+Inf" if bound == math.inf else _number(bound)
            yield f"{self.name}_bucket{self._braces(labels, ('le', le))}"
        yield f"{self.name}_sum{self._braces(labels)}"
        yield f"{self.name}_count{self._braces(labels)}"

    def lines(self, cells: Sequence[float]) -> Iterator[str]:
        """The samples, of the metric's own summed `cells`."""
        values = list[float]()
        for start in self._place.values():
            cumulative = list(accumulate(cells[start : start + self._width - 1]))
            values += [*cumulative, cells[start + self._width - 1], cumulative[-1]]
        return _lines(self._samples, values)


def fact(name: str, about: str, **labels: str) -> list[str]:
    """The lines of something that is so, in Prometheus' manner: a gauge of 1, and what it is in the labels."""
    braces = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name}{{{braces}}} 1"]


def _lines(names: Iterable[str], values: Iterable[float]) -> Iterator[str]:
    return (f"{name} {_number(value)}" for name, value in zip(names, values, strict=True))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


class Metrics:
    """Everything that is counted."""

    def __init__(self, n_workers: int = 1) -> None:
        """Makes the memory, which processes that are forked later share; counts as worker 0 until told otherwise."""
        self.requests = Metric("inkling_requests_total", "Answers sent.", labels={"route": ROUTES, "status": STATUSES})
        self.refused = Metric("inkling_refused_total", "Requests refused.", labels={"reason": REASONS})
        self.waiting = Metric("inkling_waiting_requests", "Requests taken and not yet answered.", "gauge")
        self.connections = Metric("inkling_connections", "Open connections.", "gauge")
        self.stages = Histogram(
            "inkling_stage_seconds",
            "Stages of a prediction; total: from the request's head to its answer; refused: the same, without one.",
            labels={"stage": STAGES},
            bounds=STAGE_BOUNDS_S,
        )
        self.runs = Metric("inkling_runs_total", "Runs of the model.", labels={"images": BATCHES})
        self.run_seconds = Metric("inkling_run_seconds_total", "Time of these runs.", labels={"images": BATCHES})
        self.images = Metric("inkling_images_total", "Images that the model has read.")
        self.last_run = Metric("inkling_last_run_timestamp_seconds", "When it ran last.", "gauge", merge=max)
        self.answers = Metric("inkling_answers_total", "What was said of the images.", labels={"state": STATES})
        self.digits = Metric(
            "inkling_digits_total", "Images read as a digit, sure or unsure.", labels={"digit": DIGITS}
        )
        self.confidence = Histogram("inkling_confidence", "Confidence in these digits.", bounds=SCORE_BOUNDS)
        self.digit_score = Histogram(
            "inkling_digit_score", "How surely an image with ink is a digit.", bounds=SCORE_BOUNDS
        )
        self.loads = Metric("inkling_model_loads_total", "Models exchanged.", labels={"result": LOADS})
        self.shadow_images = Metric(
            "inkling_shadow_images_total", "Images that the shadow model read too.", labels={"verdict": SHADOW_VERDICTS}
        )
        self.shadow_dropped = Metric(
            "inkling_shadow_dropped_total", "Images that it did not get.", labels={"reason": SHADOW_DROPPED}
        )
        self.shadow_run = Histogram("inkling_shadow_run_seconds", "Time of its runs.", bounds=STAGE_BOUNDS_S)
        self.memory = Metric("process_resident_memory_bytes", "Resident memory of all workers.", "gauge")
        self.cpu = Metric("process_cpu_seconds_total", "CPU time of all workers.")
        self._cpu_s = 0.0
        self._all: list[Metric] = [metric for metric in vars(self).values() if isinstance(metric, Metric)]
        self._n_cells = sum(metric.n_cells for metric in self._all)
        ends = accumulate(metric.n_cells for metric in self._all)
        self._start = {metric.name: end - metric.n_cells for metric, end in zip(self._all, ends, strict=True)}
        self._cells = memoryview(mmap.mmap(-1, n_workers * self._n_cells * CELL_BYTES)).cast("d")
        self.count_as(0)

    def count_as(self, worker: int) -> None:
        """Counts in the row of this worker from now on; a worker that replaces another goes on with its counts."""
        row = self._cells[worker * self._n_cells : (worker + 1) * self._n_cells]
        for metric in self._all:
            start = self._start[metric.name]
            metric.bind(row[start : start + metric.n_cells])

    def reset_gauges(self) -> None:
        """Sets this worker's gauges to 0: what a worker that died was doing is no longer going on."""
        for metric in self._all:
            if metric.kind == "gauge":
                metric.clear()

    def count_run(self, images: Images, answer: Answer) -> None:
        """Counts a run of the model and what it said: an observer of `serving.queue.engine.Engine`."""
        batch = str(answer.n_batch) if answer.n_batch <= MAX_BATCH_IMAGES else "more"
        self.runs.add(batch)
        self.run_seconds.add(batch, amount=answer.infer_s)
        self.images.add(amount=len(images))
        self.last_run.set(time.time())
        for state, digit, confidence, digit_score in answer.verdicts:
            self.answers.add(state)
            if state != "blank":
                self.digit_score.observe(digit_score)
            if state in READ:
                self.digits.add(DIGITS[digit])
                self.confidence.observe(confidence)

    def measure_process(self) -> None:
        """Brings this worker's memory and CPU time up to date."""
        cpu_s = time.process_time()
        self.cpu.add(amount=cpu_s - self._cpu_s)  # added, as a worker that replaces another starts from 0
        self._cpu_s = cpu_s
        if STATM.exists():
            self.memory.set(int(STATM.read_text().split()[1]) * mmap.PAGESIZE)

    def read(self, metric: Metric) -> list[float]:
        """A metric's cells, of all workers together."""
        start = self._start[metric.name]
        rows = range(start, len(self._cells), self._n_cells)
        return [
            metric.merge(cells)
            for cells in zip(*(self._cells[row : row + metric.n_cells] for row in rows), strict=True)
        ]

    def text(self, facts: Iterable[str] = ()) -> str:
        """All samples.

        Args:
            facts: further lines, complete.
        """
        lines = []
        for metric in self._all:
            lines += [f"# HELP {metric.name} {metric.about}", f"# TYPE {metric.name} {metric.kind}"]
            lines += metric.lines(self.read(metric))
        return "\n".join([*lines, *facts, ""])
