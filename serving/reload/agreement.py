"""Which model all workers use: the supervisor's side of `serving.reload.control`."""

import fcntl
import itertools
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import StartError
from serving.reload.lifecycle import stamp_of


@dataclass
class Worker:
    """A worker, as its supervisor sees it.

    Attributes:
        index: its place among the workers, and its successor's.
        line: the supervisor's end of the line to it.
        started_s: when it was forked, on the monotonic clock.
        is_ready: whether it has said so.
        unread: the beginning of a line that has not all come.
    """

    index: int
    pid: int
    line: socket.socket
    started_s: float
    is_ready: bool = False
    unread: bytes = b""

    def tell(self, message: dict[str, Any]) -> None:
        """Sends it a message."""
        try:
            self.line.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return  # it has died; the other end of the line says so too

    def messages(self) -> Iterator[dict[str, Any]] | None:
        """What it has said since; None where it has died."""
        try:
            data = self.line.recv(65536)
        except OSError:
            data = b""
        if not data:
            return None
        *lines, self.unread = (self.unread + data).split(b"\n")
        return map(json.loads, lines)


@dataclass
class _Exchange:
    """One model for another in all workers: who asked for it, which workers have yet to do it, what went wrong."""

    asker: Worker
    id_: int
    awaited: set[int]
    replaced: Path | None  # the file that nobody needs once this is done
    error: str = ""


class Agreement:
    """The one model, a copy that the user's next file does not change, and the exchanges under way.

    Attributes:
        folder: of the copies.
        model: the copy that a new worker starts with.
        is_unloaded: whether it then takes it out of use.
        stamp: of the user's file, when the first copy was made.
    """

    def __init__(self, path: Path) -> None:
        """Copies the user's file, unchecked: the first workers will say what is wrong with it.

        Raises:
            StartError: it cannot be copied.
        """
        self.is_unloaded = False
        self.stamp = stamp_of(path)
        self._numbers = itertools.count()
        self._exchanges: dict[int, _Exchange] = {}
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="inkling-", ignore_cleanup_errors=True)
            self.folder = Path(self._folder.name)
            self.model = Path(shutil.copyfile(path, self.folder / "first.onnx"))
            # systemd-tmpfiles deletes what is old, but not in a folder that is locked.
            fcntl.flock(os.open(self.folder, os.O_RDONLY), fcntl.LOCK_SH)
        except OSError as error:
            text = f"The model file {path} cannot be copied to a temporary folder: {error.strerror}."
            raise StartError(text) from None

    def close(self) -> None:
        """Deletes the copies."""
        self._folder.cleanup()

    def ask(self, asker: Worker, id_: int, file: str | None, workers: Collection[Worker]) -> None:
        """Has all workers use the model in a file, or none."""
        self.is_unloaded = file is None
        replaced = None
        if file is not None:
            replaced, self.model = self.model, Path(file)
        number = next(self._numbers)
        self._exchanges[number] = _Exchange(asker, id_, {worker.index for worker in workers}, replaced)
        for worker in workers:
            worker.tell({"use": file, "number": number})

    def did(self, worker: Worker, number: int, error: str) -> None:
        """A worker has done its part, or could not."""
        exchange = self._exchanges[number]
        exchange.error = exchange.error or error
        exchange.awaited.discard(worker.index)
        self._end_exchanges()

    def bury(self, worker: Worker) -> None:
        """A worker has died; its successor starts with the model that was asked for last."""
        for exchange in self._exchanges.values():
            exchange.awaited.discard(worker.index)
        self._end_exchanges()

    def _end_exchanges(self) -> None:
        for number, exchange in [*self._exchanges.items()]:
            if not exchange.awaited:
                del self._exchanges[number]
                exchange.asker.tell({"done": exchange.id_, "error": exchange.error})
                if exchange.replaced:
                    exchange.replaced.unlink(missing_ok=True)
