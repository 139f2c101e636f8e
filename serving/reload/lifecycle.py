"""Which model is in use: loading, checking, exchanging it while requests are answered."""

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

# How often a watched file is looked at. Only once it has been the same twice is it loaded: it may still be written to.
WATCH_S = 0.5

Stamp = tuple[int, int, int]  # inode, bytes, nanoseconds of the last change


class Lifecycle:
    """Puts models into an engine.

    Attributes:
        path: the file that is loaded, and watched.
        exchange: puts a model that was accepted, or none, into use: `use`, unless
            `serving.reload.control` has all workers do it. It may raise NotTakenUpError.
    """

    def __init__(self, path: Path, engine: Engine, metrics: Metrics) -> None:
        """Serves the file at `path`."""
        self.path = path
        self.engine = engine
        self.metrics = metrics
        self.exchange: Callable[[Predictor | None], Awaitable[None]] = self.use
        self._one_at_a_time = asyncio.Lock()
        self._stamp: Stamp | None = None  # of the content that was read last

    def start(self) -> None:
        """Loads the first model, before there is an event loop.

        Raises:
            ModelError: the file is not a usable model.
        """
        self._stamp = stamp_of(self.path)
        self.engine.predictor = checked(self.path)

    def follow(self, path: Path, stamp: Stamp | None) -> None:
        """Loads and watches this file from now on; what was started with is a copy, made when its stamp was `stamp`."""
        self.path = path
        self._stamp = stamp

    async def load(self) -> ModelCard:
        """Loads the file anew: read, warmed and checked beside the model in use, then exchanged for it.

        Raises:
            ModelError: the file is not a usable model; the one in use stays.
            NotTakenUpError: not every worker has taken it up.
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
        """Takes the model out of use until one is loaded.

        Raises:
            NotTakenUpError: not every worker has.
        """
        async with self._one_at_a_time:
            await self.exchange(None)

    async def reload(self) -> None:
        """Loads the file anew where nobody waits for the outcome: what goes wrong is only logged."""
        try:
            await self.load()
        except ServingError:
            return  # logged where it was raised
        except Exception:
            log.exception("The model file could not be loaded.")

    async def use(self, predictor: Predictor | None) -> None:
        """Puts a model, or none, into use in this process."""
        before = self.engine.predictor
        self.engine.predictor = predictor
        self.metrics.loads.add("loaded" if predictor else "unloaded")
        log.warning("The model is now %s; it was %s.", _version(predictor), _version(before))

    async def watch(self) -> None:
        """Loads the file anew whenever it has changed since it was read, but a bad one only once; returns never."""
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
    """The model in a file, warm, and of good health.

    Raises:
        ModelError: the file is not a usable model.
    """
    try:
        predictor = Predictor.load(path)
        predictor.warm()
        predictor.check()
    except ModelError:
        raise
    except Exception as error:  # whatever a file can hold must not end more than its loading
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"The model file {path} cannot be used: {reason}.") from error
    return predictor


def stamp_of(path: Path) -> Stamp | None:
    """What tells one content of a file from the next; None where there is no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
