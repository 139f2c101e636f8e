"""Load, check and swap the model while requests are answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import to_thread

from serving.errors import ModelError, ServingError
from serving.metrics import Metrics
from serving.model.card import ModelCard
from serving.model.predictor import Predictor
from serving.queue.engine import Engine

log = logging.getLogger(__name__)

# Interval of the checks of a watched file. It is loaded when two checks see the same file, as it may be incomplete.
WATCH_S = 0.5

Stamp = tuple[int, int, int]  # inode, bytes, nanoseconds of the last change


class Lifecycle:
    """Load models and put them into an engine.

    Attributes:
        path: the file to load and watch.
        exchange: puts an accepted model, or none, into use. This is `use` for one process, or a function of
            `serving.reload.control` for all workers, which may raise NotTakenUpError.
    """

    def __init__(self, path: Path, engine: Engine, metrics: Metrics) -> None:
        self.path = path
        self.engine = engine
        self.metrics = metrics
        self.exchange: Callable[[Predictor | None], Awaitable[None]] = self.use
        self._one_at_a_time = asyncio.Lock()
        self._stamp: Stamp | None = None  # of the last content read

    def start(self) -> None:
        """Load the first model, before the event loop starts.

        Raises:
            ModelError: the file is not a usable model.
        """
        self._stamp = stamp_of(self.path)
        self.engine.predictor = checked(self.path)

    def follow(self, path: Path, stamp: Stamp | None) -> None:
        """Load and watch this file from now on. The current model is a copy, made when the file had this stamp."""
        self.path = path
        self._stamp = stamp

    async def load(self) -> ModelCard:
        """Load the file again: warm up and check the new model while the old one serves, then swap them.

        Raises:
            ModelError: the file is not a usable model; the old model stays in use.
            NotTakenUpError: not all workers loaded the model.
        """
        async with self._one_at_a_time:
            self._stamp = stamp_of(self.path)
            try:
                predictor = await to_thread.run_sync(checked, self.path)
            except ModelError as error:
                self.metrics.loads.add("refused")
                log.error("The model file was refused, and the model in use stays. %s", error)
                raise
            await self.exchange(predictor)
            return predictor.card

    async def unload(self) -> None:
        """Unload the model.

        Raises:
            NotTakenUpError: not all workers unloaded it.
        """
        async with self._one_at_a_time:
            await self.exchange(None)

    async def reload(self) -> None:
        """Load the file again, and only log errors."""
        try:
            await self.load()
        except ServingError:
            return  # already logged
        except Exception:
            log.exception("The model file could not be loaded.")

    async def use(self, predictor: Predictor | None) -> None:
        """Use a model, or none, in this process."""
        before = self.engine.predictor
        self.engine.predictor = predictor
        self.metrics.loads.add("loaded" if predictor else "unloaded")
        log.warning("The model is now %s; it was %s.", _version(predictor), _version(before))

    async def watch(self) -> None:
        """Load the file whenever it changes, a bad one only once. Never return."""
        seen = self._stamp
        while True:
            await asyncio.sleep(WATCH_S)
            stamp = stamp_of(self.path)
            if stamp != self._stamp and stamp == seen:
                await self.reload()
            seen = stamp


def _version(predictor: Predictor | None) -> str:
    return predictor.card.version if predictor else "none"


def checked(path: Path) -> Predictor:
    """Load a model file, warm up the model and run its self-check.

    Raises:
        ModelError: the file is not a usable model.
    """
    try:
        predictor = Predictor.load(path)
        predictor.warm()
        predictor.check()
    except ModelError:
        raise
    except Exception as error:  # a bad file must not stop the service
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"The model file {path} cannot be used: {reason}.") from error
    return predictor


def stamp_of(path: Path) -> Stamp | None:
    """Return a value that changes with the content of a file; None if there is no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
