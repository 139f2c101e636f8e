"""Prometheus metrics in memory that the worker processes share.

Each worker has its own row of cells and writes only there, so no lock is needed. A scrape of any worker sums the rows.
The text has Prometheus' exposition format 0.0.4.
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
from serving.model.card import MAX_CLASSES
from serving.model.decisions import READ, State
from serving.queue.engine import MAX_BATCH_IMAGES, Answer, Images

CELL_BYTES = 8  # a float64
STATM = Path("/proc/self/statm")  # on Linux; the second field is the number of resident pages

# "none" is a request that was rejected before its head was read.
API_ROUTES = ("/api/predict", "/api/model", "/api/network", "/api/drawings")
ROUTES = (*API_ROUTES, "/v2/infer", "/v2/health", "/v2", "/metrics", "page", "none")
STATUSES = ("200", "201", "304", *sorted({str(error.status) for error in request_errors()}), "other")
REASONS = tuple(dict.fromkeys(error.reason for error in request_errors()))
STAGES = ("decode", "queue", "infer", "encode", "total", "refused")
STATES: tuple[str, ...] = get_args(State)
BATCHES = (*(str(n_images) for n_images in range(1, MAX_BATCH_IMAGES + 1)), "more")
CLASS_INDICES = tuple(map(str, range(MAX_CLASSES)))
LOADS = ("loaded", "refused", "unloaded")
SHADOW_VERDICTS = ("same", "other")
SHADOW_DROPPED = ("busy", "too_large", "gone")  # gone: the process has died

STAGE_BOUNDS_S = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 5.0)
SCORE_BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)

Labels = tuple[str, ...]


@dataclass
class Metric:
    """A counter or a gauge: one number for each combination of label values, all known in advance.

    Attributes:
        kind: "counter" or "gauge".
        labels: the values of each label, by its name.
        merge: combines the workers' numbers.
    """

    name: str
    about: str
    kind: str = "counter"
    labels: dict[str, Sequence[str]] = field(default_factory=dict)
    merge: Callable[[Iterable[float]], float] = sum

    def __post_init__(self) -> None:
        """Assign a place in the cells to each combination of label values."""
        self._width = self._cells_each()
        self._place = {labels: place * self._width for place, labels in enumerate(product(*self.labels.values()))}
        self.n_cells = len(self._place) * self._width
        self._samples = [name for labels in self._place for name in self._names(labels)]

    def _names(self, labels: Labels) -> Iterator[str]:
        """Yield the names of the samples for these label values. They are built once, so that a scrape is cheap."""
        yield self.name + self._braces(labels)

    def _cells_each(self) -> int:
        return 1

    def bind(self, cells: "memoryview[float]") -> None:
        """Use these cells, `n_cells` of them, for this worker's numbers."""
        self._cells = cells

    def add(self, *labels: str, amount: float = 1) -> None:
        """Add to this worker's number for these label values."""
        self._cells[self._place[labels]] += amount

    def set(self, value: float, *labels: str) -> None:
        """Replace this worker's number."""
        self._cells[self._place[labels]] = value

    def clear(self) -> None:
        """Set all of this worker's numbers to 0."""
        for place in range(self.n_cells):
            self._cells[place] = 0.0

    def value(self, cells: Sequence[float], *labels: str) -> float:
        """Return the number for these label values. `cells` are the sums over all workers."""
        return cells[self._place[labels]]

    def lines(self, cells: Sequence[float]) -> Iterator[str]:
        """Return the lines of the metric in Prometheus's text format. `cells` are the sums over all workers."""
        return _lines(self._samples, cells)

    def _braces(self, labels: Labels, *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, labels, strict=True), *more]
        return "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + "}" if pairs else ""


@dataclass
class Histogram(Metric):
    """A histogram with the sum of its values.

    Attributes:
        bounds: upper bounds of the buckets, inclusive and ascending. Another bucket counts larger values.
    """

    kind: str = "histogram"
    bounds: tuple[float, ...] = ()

    def _cells_each(self) -> int:
        return len(self.bounds) + 2  # the last bucket and the sum

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        start = self._place[labels]
        self._cells[start + bisect_left(self.bounds, value)] += 1
        self._cells[start + self._width - 1] += value

    def count(self, cells: Sequence[float], *labels: str) -> int:
        """Return the number of observed values."""
        start = self._place[labels]
        return round(sum(cells[start : start + self._width - 1]))

    def total(self, cells: Sequence[float], *labels: str) -> float:
        """Return the sum of the values."""
        return cells[self._place[labels] + self._width - 1]

    def _names(self, labels: Labels) -> Iterator[str]:
        for bound in (*self.bounds, math.inf):
            le = "+Inf" if bound == math.inf else _number(bound)
            yield f"{self.name}_bucket{self._braces(labels, ('le', le))}"
        yield f"{self.name}_sum{self._braces(labels)}"
        yield f"{self.name}_count{self._braces(labels)}"

    def lines(self, cells: Sequence[float]) -> Iterator[str]:
        """Return the lines of the metric, with cumulative buckets and the count."""
        values = list[float]()
        for start in self._place.values():
            cumulative = list(accumulate(cells[start : start + self._width - 1]))
            values += [*cumulative, cells[start + self._width - 1], cumulative[-1]]
        return _lines(self._samples, values)


def fixed_gauge(name: str, about: str, number: float = 1, **labels: str) -> list[str]:
    """Return the lines of a gauge that is not counted. An info metric is 1 and has the information in its labels."""
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name}{{{pairs}}} {number}"]


def _lines(names: Iterable[str], values: Iterable[float]) -> Iterator[str]:
    return (f"{name} {_number(value)}" for name, value in zip(names, values, strict=True))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


class Metrics:
    """All metrics of the service."""

    def __init__(self, n_workers: int = 1) -> None:
        """Allocate memory that forked processes share. Count as worker 0."""
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
            "inkling_digits_total", "Images read as a digit, sure or unsure.", labels={"digit": CLASS_INDICES}
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
        """Count in the row of this worker. A replacement worker continues the counts of its predecessor."""
        row = self._cells[worker * self._n_cells : (worker + 1) * self._n_cells]
        for metric in self._all:
            start = self._start[metric.name]
            metric.bind(row[start : start + metric.n_cells])

    def reset_gauges(self) -> None:
        """Set this worker's gauges to 0; a dead predecessor no longer has requests or connections."""
        for metric in self._all:
            if metric.kind == "gauge":
                metric.clear()

    def count_run(self, images: Images, answer: Answer) -> None:
        """Count a run of the model and its verdicts. This is an observer of `serving.queue.engine.Engine`."""
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
                self.digits.add(CLASS_INDICES[digit])
                self.confidence.observe(confidence)

    def measure_process(self) -> None:
        """Update this worker's memory and CPU time."""
        cpu_s = time.process_time()
        self.cpu.add(amount=cpu_s - self._cpu_s)  # a replacement worker starts from 0
        self._cpu_s = cpu_s
        if STATM.exists():
            self.memory.set(int(STATM.read_text().split()[1]) * mmap.PAGESIZE)

    def read(self, metric: Metric) -> list[float]:
        """Return the cells of a metric, merged over all workers."""
        start = self._start[metric.name]
        rows = range(start, len(self._cells), self._n_cells)
        return [
            metric.merge(cells)
            for cells in zip(*(self._cells[row : row + metric.n_cells] for row in rows), strict=True)
        ]

    def text(self, facts: Iterable[str] = (), n_classes: int = MAX_CLASSES) -> str:
        """Return all samples.

        Args:
            facts: further lines, as `fixed_gauge` returns them.
            n_classes: number of classes of the model; others appear only if an earlier model counted them.
        """
        lines = []
        for metric in self._all:
            lines += [f"# HELP {metric.name} {metric.about}", f"# TYPE {metric.name} {metric.kind}"]
            cells = self.read(metric)
            samples = metric.lines(cells)
            if metric is self.digits:
                samples = (line for index, line in enumerate(samples) if index < n_classes or cells[index])
            lines += samples
        return "\n".join([*lines, *facts, ""])
