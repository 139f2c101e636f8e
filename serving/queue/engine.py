"""Batch the requests that are queued when the event loop iterates.

The first request in an iteration of the event loop schedules a run at the end of the iteration. The other requests of
the iteration share this run. A single request never waits for a timer.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serving.errors import NoModelError, OverloadedError, TimeoutExpiredError
from serving.model.card import MODEL_NAME, ModelCard
from serving.model.predictor import Prediction, Predictor, Verdict
from serving.queue.backlog import Backlog
from serving.queue.lane import Lane

# Larger batches are not faster per image (python -m bench.int8).
MAX_BATCH_IMAGES = 16

# Up to this size (600 x 600 pixels) the work runs on the event loop, because a thread would cost more than the model.
# Larger work would delay the other requests: a transparent PNG of a megapixel takes 30 ms.
MAX_INLINE_PIXELS = 400_000

# Limits of the tasks in threads. A short one takes up to 0.5 s. A large one takes a few seconds; at the pixel limit, a
# WebP takes 800 MB and other formats 400 MB.
MAX_SHORT_TASKS = 256
MAX_LARGE_TASKS = 16

# Limit of the pixels in the queue, which bounds its memory. 800 canvases of the page have as many.
MAX_QUEUED_PIXELS = 64 * 2**20

# For each image, a run takes a constant time for the network and a time for scaling that grows with the pixels. With
# this many pixels, both are equal (python -m bench.latency).
PIXELS_LIKE_AN_IMAGE = 40_000

# Weight of the last run in the moving average that predicts the time of the next.
RUN_WEIGHT = 0.1

TIMEOUT_TEXT = "The answer would come after the request's timeout, so the model was not run. Send it again later."

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """The model outputs for the images of one request, with timings.

    Attributes:
        prediction: outputs for only these images, in their order.
        verdicts: one for each image.
        card: card of the model; a batch never mixes two models.
        queue_s: waiting time in the queue.
        infer_s: duration of the shared run.
    """

    prediction: Prediction
    verdicts: list[Verdict]
    card: ModelCard
    queue_s: float
    infer_s: float


class Result(Protocol):
    """What gets the answer to a request, or the error. A future is one."""

    def done(self) -> bool:
        """Return whether nobody waits for the answer any more."""

    def set_result(self, answer: Answer, /) -> None:
        """Take the answer."""

    def set_exception(self, error: Exception, /) -> None:
        """Take the error."""


@dataclass(slots=True)
class _Waiting:
    images: Images
    result: Result
    since_s: float
    deadline_s: float
    with_features: bool


class Engine:
    """The model in use and its queue.

    Attributes:
        predictor: the model in use, None if no model is loaded. It may be replaced at any time; a run keeps its model.
        observers: called on the event loop after every run, with the images and the answer.
        short: runs what takes milliseconds: parsing and small pictures from a few kB on.
        large: runs what may take seconds: large pictures, and large or many images.
        backlog: the requests that wait for the event loop. The connections add and remove them.
    """

    def __init__(self) -> None:
        self.predictor: Predictor | None = None
        self.observers: list[Callable[[Images, Answer], None]] = []
        self.backlog = Backlog(MAX_BATCH_IMAGES)
        self.short = Lane(MAX_SHORT_TASKS, self.backlog)
        self.large = Lane(MAX_LARGE_TASKS, self.backlog)
        self._queue: dict[tuple[int, ...], deque[_Waiting]] = {}
        self._n_queued = self._n_queued_pixels = 0
        self._work_s = 0.0  # seconds of a run with one unit of work

    @property
    def model(self) -> Predictor:
        """Return the model in use.

        Raises:
            NoModelError: no model is loaded.
        """
        if self.predictor is None:
            raise NoModelError(f"The model is not loaded. Load it with POST /v2/repository/models/{MODEL_NAME}/load.")
        return self.predictor

    async def predict(self, images: Images, timeout_s: float = math.inf, with_features: bool = False) -> Answer:
        """Return the model's answer for the images of one request.

        Args:
            images: uint8 [n, h, w], n >= 1, any h and w from 1.
            timeout_s: limit of the expected time to the answer.
            with_features: also return `features`, if the model has them.

        Raises:
            NoModelError: no model is loaded.
            OverloadedError: too many pixels or too many large requests wait.
            TimeoutExpiredError: the answer would be too late, so the model was not run.
        """
        if len(images) > MAX_BATCH_IMAGES or images.size > MAX_INLINE_PIXELS:
            now_s = time.perf_counter()
            answer = await self.large.run(self._run_large, images, now_s, now_s + timeout_s, with_features)
            self._observe(images, answer)
            return answer
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.enqueue(images, future, timeout_s, with_features)
        return await future

    def enqueue(self, images: Images, result: Result, timeout_s: float = math.inf, with_features: bool = False) -> None:
        """Put the images of one request in the queue, at most `MAX_BATCH_IMAGES` and `MAX_INLINE_PIXELS`.

        Raises:
            OverloadedError: too many pixels wait.
            TimeoutExpiredError: the answer would be too late.
        """
        if self.backlog.seconds(self._n_queued) > timeout_s:
            raise TimeoutExpiredError(TIMEOUT_TEXT)
        if self._n_queued_pixels > MAX_QUEUED_PIXELS:
            raise OverloadedError
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._run_queue)
        now_s = time.perf_counter()
        waiting = _Waiting(images, result, now_s, now_s + timeout_s, with_features)
        self._queue.setdefault(images.shape[1:], deque()).append(waiting)
        self._n_queued += 1
        self._n_queued_pixels += images.size

    def _run_queue(self) -> None:
        """Run one batch of queued images of the same size, that of the request that has waited longest.

        The rest waits for the next iteration of the event loop, so that the first answers are sent before further runs.
        """
        size, queued = min(self._queue.items(), key=lambda item: item[1][0].since_s)
        batch = self._take(queued)
        if not queued:
            del self._queue[size]
        if self._queue:
            asyncio.get_running_loop().call_soon(self._run_queue)
        if not batch:
            return
        images = batch[0].images if len(batch) == 1 else np.concatenate([waiting.images for waiting in batch])
        started_s = time.perf_counter()
        try:
            model = self.model
            prediction = model.run(images, any(waiting.with_features for waiting in batch))
            verdicts = model.verdicts(prediction)
        except Exception as error:
            for waiting in batch:
                waiting.result.set_exception(error)
            return
        infer_s = time.perf_counter() - started_s
        whole = Answer(prediction, verdicts, model.card, started_s - batch[0].since_s, infer_s)
        if len(batch) == 1:
            batch[0].result.set_result(whole)
        else:
            start = 0
            for waiting in batch:
                end = start + len(waiting.images)
                own = prediction.part(start, end), verdicts[start:end]
                waiting.result.set_result(Answer(*own, model.card, started_s - waiting.since_s, infer_s))
                start = end
        self._observe(images, whole)

    def _take(self, queued: deque[_Waiting]) -> list[_Waiting]:
        """Take a batch of requests from the queue. Drop cancelled requests and those that would be late."""
        batch: list[_Waiting] = []
        n_images, work = 0, 0.0
        n_fitting = _n_in_batch(queued[0].images[0].size)
        now_s = time.perf_counter()
        while queued and n_images + len(queued[0].images) <= n_fitting:
            waiting = queued.popleft()
            self._n_queued -= 1
            self._n_queued_pixels -= waiting.images.size
            if waiting.result.done():
                continue
            if now_s + (work + _work(waiting.images)) * self._work_s > waiting.deadline_s:
                waiting.result.set_exception(TimeoutExpiredError(TIMEOUT_TEXT))
                continue
            batch.append(waiting)
            n_images += len(waiting.images)
            work += _work(waiting.images)
        return batch

    def _run_large(self, images: Images, since_s: float, deadline_s: float, with_features: bool) -> Answer:
        started_s = time.perf_counter()
        if started_s + _work(images) * self._work_s > deadline_s:
            raise TimeoutExpiredError(TIMEOUT_TEXT)
        model = self.model
        n_images = _n_in_batch(images[0].size)
        starts = range(0, len(images), n_images)
        parts = [model.run(images[start : start + n_images], with_features) for start in starts]
        infer_s = time.perf_counter() - started_s
        prediction = Prediction.joined(parts)
        return Answer(prediction, model.verdicts(prediction), model.card, started_s - since_s, infer_s)

    def _observe(self, images: Images, answer: Answer) -> None:
        self._work_s += RUN_WEIGHT * (answer.infer_s / _work(images) - self._work_s)
        for observe in self.observers:
            observe(images, answer)


def _work(images: Images) -> float:
    """Return the work of a run. The unit is the work for one very small image."""
    return len(images) + images.size / PIXELS_LIKE_AN_IMAGE


def _n_in_batch(n_pixels: int) -> int:
    """Return the batch size for images with this number of pixels. Large images get small batches, to save memory."""
    return max(1, min(MAX_BATCH_IMAGES, MAX_INLINE_PIXELS // n_pixels))
