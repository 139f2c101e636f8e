"""Load, check and swap the model while requests are answered."""

import asyncio
import logging
import time
from pathlib import Path

from anyio import to_thread

from serving.errors import ModelError, NotTakenUpError, ServingError
from serving.metrics import Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import Engine
from serving.reload.shared import SharedModel, load_model, stamp_of
from serving.signature import PublicKey

log = logging.getLogger(__name__)

# Interval of the checks of a watched file. It is loaded when two checks see the same file, as it may be incomplete.
WATCH_S = 0.5

# Time for a change in all workers: longer than the supervisor needs to replace one that hangs, and shorter than a
# connection waits for its response.
TAKE_UP_S = 45
POLL_S = 0.02


class Lifecycle:
    """Load models and put them into an engine."""

    def __init__(
        self,
        path: Path,
        engine: Engine,
        metrics: Metrics,
        shared: SharedModel | None = None,
        key: PublicKey | None = None,
    ) -> None:
        """Load and watch the user's file `path`, which must be signed if there is a `key`.

        `shared` is the model of all workers, if there are several.
        """
        self.path = path
        self.engine = engine
        self.metrics = metrics
        self.shared = shared
        self.key = key
        self._one_at_a_time = asyncio.Lock()
        self._stamp = shared.stamp if shared else stamp_of(path, key)  # of the last content read

    def start(self) -> None:
        """Load the first model, before the event loop starts."""
        if self.shared:
            number, self.engine.predictor = self.shared.load()
            self.shared.take(number)
        else:
            self.engine.predictor = load_model(self.path, self.key)

    async def load(self) -> None:
        """Load the file again: warm up and check the new model while the old one serves, then swap them.

        Raises:
            ModelError: the file is not a usable model; the old model stays in use.
            NotTakenUpError: not all workers use the model.
        """
        await self._exchange(is_load=True)

    async def unload(self) -> None:
        """Unload the model in all workers, as `load` does."""
        await self._exchange(is_load=False)

    async def reload(self) -> None:
        """Load the file again, and only log errors."""
        try:
            await self.load()
        except ServingError:
            return  # already logged
        except Exception:
            log.exception("The model file could not be loaded.")

    async def watch(self) -> None:
        """Load the file whenever it changes, a bad one only once. Never return."""
        seen = self._stamp
        while True:
            await asyncio.sleep(WATCH_S)
            stamp = stamp_of(self.path, self.key)
            if stamp != self._stamp and stamp == seen:
                await self.reload()
            seen = stamp

    async def take_up(self) -> None:
        """Use the model that another worker has put in place, if it is new."""
        if self.shared and self.shared.is_behind and not self._one_at_a_time.locked():
            async with self._one_at_a_time:
                number, predictor = await to_thread.run_sync(self.shared.load)
                self._use(predictor, number)

    async def _read(self) -> Predictor:
        self._stamp = stamp_of(self.path, self.key)
        try:
            return await to_thread.run_sync(load_model, self.path, self.key)
        except ModelError as error:
            self.metrics.loads.add("refused")
            log.error("The model file was refused, and the model in use stays. %s", error)
            raise

    async def _exchange(self, *, is_load: bool) -> None:
        """Use the model in the file, or none, and wait until all workers have followed."""
        ends_s = time.monotonic() + TAKE_UP_S
        async with self._one_at_a_time:
            predictor = await self._read() if is_load else None
            content = predictor.content if predictor else None
            number = await to_thread.run_sync(self.shared.replace, content) if self.shared else 0
            self._use(predictor, number)
            self.metrics.loads.add("loaded" if predictor else "unloaded")
        while self.shared and (n_behind := self.shared.n_behind(number)):
            if time.monotonic() > ends_s:
                text = f"Not every worker has followed: {n_behind} still answer as before. They follow or are replaced."
                log.error(text)
                raise NotTakenUpError(text)
            await asyncio.sleep(POLL_S)

    def _use(self, predictor: Predictor | None, number: int) -> None:
        before, now = (used.card.version if used else "none" for used in (self.engine.predictor, predictor))
        self.engine.predictor = predictor
        if self.shared:
            self.shared.take(number)
        if now == before:
            log.info("The model is still %s.", now)
        else:
            log.warning("The model is now %s; it was %s.", now, before)
