"""Prometheus metrics in memory that the worker processes share.

Each worker has its own row of cells and writes only there, so no lock is needed. A scrape of any worker sums the rows.
The text has Prometheus' exposition format 0.0.4.
"""

import mmap
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, product
from pathlib import Path

from serving.errors import RequestError
from serving.model.card import MAX_CLASSES
from serving.model.decisions import READ, STATES
from serving.queue.engine import Answer, Images

STATM = Path("/proc/self/statm")  # on Linux; the second field is the number of resident pages

# "none" is a request that was rejected before its head was read.
API_ROUTES = (
    "/api/predict", "/api/number", "/api/model", "/api/model.onnx", "/api/network", "/api/kernel", "/api/drawings"
)  # fmt: skip
ROUTES = (*API_ROUTES, "/v2/infer", "/v2/health", "/v2", "/metrics", "page", "none")
STATUSES = ("200", "201", "304", *sorted({str(error.status) for error in RequestError.kinds}), "other")
REASONS = tuple(dict.fromkeys(error.reason for error in RequestError.kinds))
STAGES = ("decode", "queue", "infer", "encode", "total", "refused")
CLASS_INDICES = tuple(map(str, range(MAX_CLASSES)))
LOADS = ("loaded", "refused", "unloaded")
VERDICTS = ("same", "other")
SHADOW_DROPPED = ("busy", "too_large", "gone")  # gone: the process has died

STAGE_BOUNDS_S = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 5.0)
SCORE_BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)


class Metric:
    """A counter, gauge or histogram: numbers for each combination of label values, all known in advance.

    Attributes:
        bounds: upper bounds of a histogram's buckets, inclusive and ascending. Another bucket counts larger values.
        kind: "histogram" with bounds; without them, "counter" if the name ends like one, or else "gauge".
        rows: the cells of each worker, in memory that forked processes share.
        cells: this worker's.
    """

    rows: "list[memoryview[float]]"
    cells: "memoryview[float]"

    def __init__(self, name: str, about: str, bounds: tuple[float, ...] = (), **labels: Sequence[str]) -> None:
        """Assign cells to each combination of label values: one, or those of the buckets and one with the sum."""
        self.name, self.about, self.bounds = name, about, bounds
        self.kind = "histogram" if bounds else "counter" if name.endswith("_total") else "gauge"
        self._width = len(bounds) + 2 if bounds else 1
        self._place = {values: place * self._width for place, values in enumerate(product(*labels.values()))}
        self.n_cells = len(self._place) * self._width
        # Built once, so that a scrape is cheap.
        self._samples: list[str] = []
        for values in self._place:
            own = dict(zip(labels, values, strict=True))
            if bounds:
                self._samples += [
                    f"{name}_bucket{_braces(**own, le=bound)}" for bound in (*map(_number, bounds), "+Inf")
                ]
                self._samples += [f"{name}_sum{_braces(**own)}", f"{name}_count{_braces(**own)}"]
            else:
                self._samples.append(name + _braces(**own))

    def add(self, *labels: str, amount: float = 1) -> None:
        """Add to this worker's number for these label values."""
        self.cells[self._place[labels]] += amount

    def set(self, value: float) -> None:
        """Replace this worker's number of a metric without labels."""
        self.cells[0] = value

    def observe(self, value: float, *labels: str) -> None:
        """Count one value in this worker's histogram."""
        start = self._place[labels]
        self.cells[start + bisect_left(self.bounds, value)] += 1
        self.cells[start + self._width - 1] += value

    def count_and_sum(self, cells: Sequence[float], *labels: str) -> tuple[float, float]:
        """Return the number and the sum of a histogram's values. `cells` are the sums over all workers."""
        start = self._place[labels]
        *buckets, total = cells[start : start + self._width]
        return sum(buckets), total

    def lines(self, cells: Sequence[float]) -> Iterator[str]:
        """Return the lines in Prometheus's text format, with cumulative buckets. `cells` are sums over all workers."""
        values = [] if self.bounds else [*cells]
        for start in self._place.values() if self.bounds else ():
            *buckets, total = cells[start : start + self._width]
            values += [*accumulate(buckets), total, sum(buckets)]
        return (f"{name} {_number(value)}" for name, value in zip(self._samples, values, strict=True))


def fixed_gauge(name: str, about: str, number: float = 1, **labels: str) -> list[str]:
    """Return the lines of a gauge that is not counted. An info metric is 1 and has the information in its labels."""
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name}{_braces(**labels)} {number}"]


def _braces(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


class Metrics:
    """All metrics of the service."""

    def __init__(self, n_workers: int = 1) -> None:
        """Allocate memory that forked processes share. Count as worker 0."""
        stages = "Stages of a prediction; total: from the request's head to its answer; refused: the same, without one."
        self.requests = Metric("inkling_requests_total", "Answers sent.", route=ROUTES, status=STATUSES)
        self.refused = Metric("inkling_refused_total", "Requests refused.", reason=REASONS)
        self.waiting = Metric("inkling_waiting_requests", "Requests taken and not yet answered.")
        self.connections = Metric("inkling_connections", "Open connections.")
        self.stages = Metric("inkling_stage_seconds", stages, STAGE_BOUNDS_S, stage=STAGES)
        self.runs = Metric("inkling_runs_total", "Runs of the model.")
        self.images = Metric("inkling_images_total", "Images that the model has read.")
        self.last_run = Metric("inkling_last_run_timestamp_seconds", "When it ran last.")
        self.answers = Metric("inkling_answers_total", "States of these images.", state=STATES)
        self.digits = Metric("inkling_digits_total", "Images read as a digit, sure or unsure.", digit=CLASS_INDICES)
        self.confidence = Metric("inkling_confidence", "Confidence in these digits.", SCORE_BOUNDS)
        self.digit_score = Metric("inkling_digit_score", "How surely an image with ink is a digit.", SCORE_BOUNDS)
        self.loads = Metric("inkling_model_loads_total", "Models exchanged.", result=LOADS)
        self.shadow_images = Metric("inkling_shadow_images_total", "Images that the shadow read.", verdict=VERDICTS)
        self.shadow_dropped = Metric("inkling_shadow_dropped_total", "Images it did not get.", reason=SHADOW_DROPPED)
        self.shadow_run = Metric("inkling_shadow_run_seconds", "Time of its runs.", STAGE_BOUNDS_S)
        self.memory = Metric("process_resident_memory_bytes", "Resident memory of all workers.")
        self.cpu = Metric("process_cpu_seconds_total", "CPU time of all workers.")
        self._cpu_s = 0.0
        self._all = [metric for metric in vars(self).values() if isinstance(metric, Metric)]
        for metric in self._all:
            metric.rows = [memoryview(mmap.mmap(-1, 8 * metric.n_cells)).cast("d") for _ in range(n_workers)]
        self.count_as(0)

    def count_as(self, worker: int) -> None:
        """Count in the row of this worker. A replacement worker continues the counts of its predecessor."""
        for metric in self._all:
            metric.cells = metric.rows[worker]

    def reset_gauges(self) -> None:
        """Set this worker's gauges to 0; a dead predecessor no longer has requests or connections."""
        for metric in self._all:
            if metric.kind == "gauge":
                metric.set(0)

    def count_run(self, images: Images, answer: Answer) -> None:
        """Count a run of the model and its verdicts. This is an observer of `serving.queue.engine.Engine`."""
        self.runs.add()
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
        return [*map(max if metric is self.last_run else sum, zip(*metric.rows, strict=True))]

    def text(self, facts: Iterable[str] = (), n_classes: int = MAX_CLASSES) -> str:
        """Return all samples and further lines. Digits from `n_classes` on appear only if an earlier model had them."""
        lines = []
        for metric in self._all:
            lines += [f"# HELP {metric.name} {metric.about}", f"# TYPE {metric.name} {metric.kind}"]
            cells = self.read(metric)
            samples = metric.lines(cells)
            if metric is self.digits:
                samples = (line for index, line in enumerate(samples) if index < n_classes or cells[index])
            lines += samples
        return "\n".join([*lines, *facts, ""])
