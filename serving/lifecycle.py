"""Which model is in use: loading, checking, exchanging it while requests are answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import to_thread

from serving.card import ModelCard
from serving.engine import Engine
from serving.errors import ModelError
from serving.metrics import Metrics
from serving.predictor import Predictor

log = logging.getLogger(__name__)

# How often a watched file is looked at. Only once it has been the same twice is it loaded: it may still be written to.
WATCH_S = 0.5

Stamp = tuple[int, int, int]  # inode, bytes, nanoseconds of the last change


class Lifecycle:
    """Puts models into an engine.

    Attributes:
        tell_others: called after a model was loaded ("load") or unloaded ("unload") here, for the other workers to do
            the same; returns once they have.
    """

    def __init__(self, path: Path, engine: Engine, metrics: Metrics) -> None:
        """Serves the file at `path`."""
        self.path = path
        self.engine = engine
        self.metrics = metrics
        self.tell_others: Callable[[str], Awaitable[None]] = _alone
        self._one_at_a_time = asyncio.Lock()
        self._stamp: Stamp | None = None  # of the content that was read last

    def start(self) -> None:
        """Loads the first model, before there is an event loop.

        Raises:
            ModelError: the file is not a usable model.
        """
        self._stamp = _stamp(self.path)
        self.engine.predictor = checked(self.path)

    async def load(self) -> ModelCard:
        """Loads the file anew, here and in the other workers; requests are answered meanwhile.

        Raises:
            ModelError: the file is not a usable model; the one in use stays.
        """
        card = await self.load_here()
        await self.tell_others("load")
        return card

    async def unload(self) -> None:
        """Takes the model out of use, here and in the other workers, until one is loaded."""
        self.unload_here()
        await self.tell_others("unload")

    async def load_here(self) -> ModelCard:
        """Loads the file anew in this process: read, warmed and checked beside the one in use, then exchanged for it.

        Raises:
            ModelError: the file is not a usable model; the one in use stays.
        """
        async with self._one_at_a_time:
            self._stamp = _stamp(self.path)
            try:
                predictor = await to_thread.run_sync(checked, self.path)
            except ModelError as error:
                self.metrics.loads.add("refused")
                log.error("The model file was refused, and the model in use stays. %s", error)
                raise
            before = self.engine.predictor
            self.engine.predictor = predictor
            self.metrics.loads.add("loaded")
            old = before.card.version if before else "none"
            log.warning("The model is now %s; it was %s.", predictor.card.version, old)
            return predictor.card

    def unload_here(self) -> None:
        """Takes the model out of use in this process."""
        self.engine.predictor = None
        self.metrics.loads.add("unloaded")
        log.warning("The model was unloaded.")

    async def watch(self) -> None:
        """Loads the file anew, in this process, whenever it has changed since it was read; returns never."""
        seen = self._stamp
        while True:
            await asyncio.sleep(WATCH_S)
            stamp = _stamp(self.path)
            if stamp != self._stamp and stamp == seen:
                try:
                    await self.load_here()
                except ModelError:
                    log.warning("The file is tried again when it changes again.")
            seen = stamp


async def _alone(_: str) -> None:
    return


def checked(path: Path) -> Predictor:
    """The model in a file, warm, and of good health.

    Raises:
        ModelError: the file is not a usable model.
    """
    predictor = Predictor.load(path)
    predictor.warm()
    predictor.check()
    return predictor


def _stamp(path: Path) -> Stamp | None:
    """What tells one content of a file from the next; None where there is no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
