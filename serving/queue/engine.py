"""The queue in front of the model: what waits when the event loop comes round is run as one batch.

Nobody waits for a timer. The first request of a round schedules the run at the round's end; whatever else was read in
the same round is in the queue by then and shares the run.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from anyio import CapacityLimiter, to_thread

from serving.errors import NoModelError, OverloadedError, TimeoutExpiredError
from serving.model.card import MODEL_NAME, ModelCard
from serving.model.predictor import Prediction, Predictor, Verdict

# Above this, a batch gains nothing: the model's time per image no longer falls (python -m bench.predictor).
MAX_BATCH_IMAGES = 16

# Up to this size (a canvas of 600 x 600) work is done on the event loop: a thread would cost more than the model.
# A larger one would hold up everyone else; as a transparent PNG, a megapixel takes 30 ms.
MAX_INLINE_PIXELS = 400_000

# How many larger ones are worked on at a time. At the pixel limit, a WebP takes 800 MB for a moment, others 400 MB.
N_LARGE_AT_A_TIME = 1

# How many of these are taken. The longest takes 3 s, and an answer must not take longer than a connection lives.
MAX_IN_THREADS = 16

# The time of a run goes with its work: the network's is the same for each image, and so many pixels, to be scaled down,
# are as much work again (python -m bench.predictor).
PIXELS_LIKE_AN_IMAGE = 40_000

# How much the last run counts in the expected time of the next.
RUN_WEIGHT = 0.1

TIMEOUT_TEXT = "The answer would come after the request's timeout, so the model was not run. Send it again later."

Images = npt.NDArray[np.uint8]
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What the model says about the images of one request, and how that went.

    Attributes:
        prediction: of these images alone, in their order.
        verdicts: what each of them is.
        card: of the model that made it; all of a batch come from one.
        queue_s: from the request's entry in the queue to the start of its run.
        infer_s: of the run that it shared.
        n_batch: images in that run.
    """

    prediction: Prediction
    verdicts: list[Verdict]
    card: ModelCard
    queue_s: float
    infer_s: float
    n_batch: int


@dataclass
class _Waiting:
    images: Images
    future: asyncio.Future[Answer]
    since_s: float
    deadline_s: float


class Engine:
    """The model in use and its queue.

    Attributes:
        predictor: the model in use, None while none is loaded; exchanged at any time, a run keeps the one that it has.
        observers: called on the event loop after every run, with the images and what came of them.
        n_in_threads: requests whose work is done beside the event loop, or waits for that.
    """

    def __init__(self) -> None:
        """Starts without a model."""
        self.predictor: Predictor | None = None
        self.observers: list[Callable[[Images, Answer], None]] = []
        self.n_in_threads = 0
        self._large = CapacityLimiter(N_LARGE_AT_A_TIME)
        self._queue: dict[tuple[int, ...], deque[_Waiting]] = {}
        self._work_s = 0.0  # for the work of one image

    @property
    def model(self) -> Predictor:
        """The model in use.

        Raises:
            NoModelError: there is none: it was unloaded.
        """
        if self.predictor is None:
            raise NoModelError(f"The model is not loaded. Load it with POST /v2/repository/models/{MODEL_NAME}/load.")
        return self.predictor

    async def predict(self, images: Images, timeout_s: float = math.inf) -> Answer:
        """The model's answer for the images of one request.

        Args:
            images: uint8 [n, h, w], n >= 1, any h and w from 1.
            timeout_s: refuses what cannot be answered within this time.

        Raises:
            NoModelError: no model is loaded.
            OverloadedError: it is large, and too many such wait already.
            TimeoutExpiredError: the answer would come too late; the model has not been run for it.
        """
        now_s = time.perf_counter()
        if len(images) > MAX_BATCH_IMAGES or images.size > MAX_INLINE_PIXELS:
            answer = await self.in_thread(self._run_large, images, now_s, now_s + timeout_s)
            self._observe(images, answer)
            return answer
        loop = asyncio.get_running_loop()
        waiting = _Waiting(images, loop.create_future(), now_s, now_s + timeout_s)
        if not self._queue:
            loop.call_soon(self._run_queue, loop)
        self._queue.setdefault(images.shape[1:], deque()).append(waiting)
        return await waiting.future

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs long work beside the event loop, `N_LARGE_AT_A_TIME`.

        Raises:
            OverloadedError: `MAX_IN_THREADS` wait already.
        """
        if self.n_in_threads >= MAX_IN_THREADS:
            raise OverloadedError
        self.n_in_threads += 1
        # An idle thread keeps the arguments of its last call: of a picture, up to 600 MB. So it gets none.
        calls = [partial(work, *arguments)]
        try:
            return await to_thread.run_sync(lambda: calls.pop()(), limiter=self._large)
        finally:
            self.n_in_threads -= 1

    def _run_queue(self, loop: asyncio.AbstractEventLoop) -> None:
        """Runs the images of one size that are queued, up to a batch, and comes back for the rest.

        Not all at once: answers leave when the loop goes on, and the first need not wait for the last.
        """
        size, queued = next(iter(self._queue.items()))
        del self._queue[size]
        batch = self._take(queued)
        if queued:
            self._queue[size] = queued
        if self._queue:
            loop.call_soon(self._run_queue, loop)
        if not batch:
            return
        images = batch[0].images if len(batch) == 1 else np.concatenate([waiting.images for waiting in batch])
        started_s = time.perf_counter()
        try:
            model = self.model
            prediction = model.run(images)
            verdicts = model.verdicts(prediction)
        except Exception as error:
            for waiting in batch:
                waiting.future.set_exception(error)
            return
        infer_s = time.perf_counter() - started_s
        whole = Answer(prediction, verdicts, model.card, started_s - batch[0].since_s, infer_s, len(images))
        if len(batch) == 1:
            batch[0].future.set_result(whole)
        else:
            start = 0
            for waiting in batch:
                end = start + len(waiting.images)
                own = prediction.part(start, end), verdicts[start:end]
                waiting.future.set_result(Answer(*own, model.card, started_s - waiting.since_s, infer_s, len(images)))
                start = end
        self._observe(images, whole)

    def _take(self, queued: deque[_Waiting]) -> list[_Waiting]:
        """Up to a batch of requests from the front, without those that nobody waits for or that would be too late."""
        batch: list[_Waiting] = []
        n_images, work = 0, 0.0
        n_fitting = _n_in_batch(queued[0].images[0].size)
        now_s = time.perf_counter()
        while queued and n_images + len(queued[0].images) <= n_fitting:
            waiting = queued.popleft()
            if waiting.future.done():
                continue
            if now_s + (work + _work(waiting.images)) * self._work_s > waiting.deadline_s:
                waiting.future.set_exception(TimeoutExpiredError(TIMEOUT_TEXT))
                continue
            batch.append(waiting)
            n_images += len(waiting.images)
            work += _work(waiting.images)
        return batch

    def _run_large(self, images: Images, since_s: float, deadline_s: float) -> Answer:
        started_s = time.perf_counter()
        if started_s + _work(images) * self._work_s > deadline_s:
            raise TimeoutExpiredError(TIMEOUT_TEXT)
        model = self.model
        n_images = _n_in_batch(images[0].size)
        parts = [model.run(images[start : start + n_images]) for start in range(0, len(images), n_images)]
        infer_s = time.perf_counter() - started_s
        prediction = Prediction.joined(parts)
        return Answer(prediction, model.verdicts(prediction), model.card, started_s - since_s, infer_s, len(images))

    def _observe(self, images: Images, answer: Answer) -> None:
        self._work_s += RUN_WEIGHT * (answer.infer_s / _work(images) - self._work_s)
        for observe in self.observers:
            observe(images, answer)


def _work(images: Images) -> float:
    """How much there is to do, in images without pixels."""
    return len(images) + images.size / PIXELS_LIKE_AN_IMAGE


def _n_in_batch(n_pixels: int) -> int:
    """How many images of this size run together: of large ones few, or their run would take much memory."""
    return max(1, min(MAX_BATCH_IMAGES, MAX_INLINE_PIXELS // n_pixels))
