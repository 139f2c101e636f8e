"""The model that all workers use: its bytes in unnamed files, and numbers in memory. The workers inherit both.

A worker that is asked for another model checks it, stores its bytes and increases the number of the last change. The
workers compare this number with their own ten times a second, and load the bytes. A new worker starts with them, so it
never loads an unchecked file. The system deletes the files with the last process, even if it is killed.
"""

import fcntl
import logging
import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from serving.errors import NotTakenUpError, StartError
from serving.model.predictor import Predictor
from serving.signature import PublicKey, signature_of

log = logging.getLogger(__name__)

# Of each file: inode, bytes, nanoseconds of the last change; None if there is no file.
Stamp = list[tuple[int, int, int] | None]


class SharedModel:
    """The model's bytes, and the workers' progress.

    Attributes:
        path: the user's file.
        stamp: stamp of this file when it was first read.
        worker: index of this process.
        beats: a number for each worker, which it increases as long as its event loop runs.
    """

    def __init__(self, path: Path, n_workers: int, key: PublicKey | None = None) -> None:
        """Store the user's file. Only its signature is checked: the first workers report other faults."""
        numbers = memoryview(mmap.mmap(-1, 8 * (1 + 2 * n_workers))).cast("q")
        self._last, self._taken, self.beats = numbers[:1], numbers[1 : 1 + n_workers], numbers[1 + n_workers :]
        self.path, self.stamp, self.worker = path, stamp_of(path, key), 0
        try:
            # A change writes the file that is not in use, so that a full disk damages nothing.
            self._descriptors = _unnamed_file(), _unnamed_file()
            with self._open("wb") as (_, file):
                file.write(key.read(path) if key else path.read_bytes())
        except OSError as error:
            text = f"The model file {path} cannot be copied to a temporary folder: {error.strerror}."
            raise StartError(text) from None

    def beat(self) -> None:
        """Show that this worker's event loop runs."""
        self.beats[self.worker] += 1

    def replace(self, content: bytes | None) -> int:
        """Let all workers use a checked model, or none. Return the number of the change."""
        try:
            with self._open("wb", 1) as (number, file):
                file.truncate()
                file.write(content or b"")
                file.flush()
                self._last[0] = number
                return number
        except OSError as error:
            text = f"The model cannot be copied for all workers, so the model in use stays: {error.strerror}."
            log.error(text)
            raise NotTakenUpError(text) from None

    def load(self) -> tuple[int, Predictor | None]:
        """Return the number of the last change, and the model that the workers use since, if any."""
        with self._open("rb") as (number, file):
            content = file.read()
        # Without a change, an empty file is a bad model, not an unloaded one.
        return number, Predictor.of(content, self.path) if content or not number else None

    def take(self, number: int) -> None:
        """Report that this worker has taken up the change with this number."""
        self._taken[self.worker] = number

    @property
    def is_behind(self) -> bool:
        """Return whether there is a change that this worker has not taken up."""
        return self._taken[self.worker] != self._last[0]

    def n_behind(self, number: int) -> int:
        """Return how many workers have taken up neither this change nor a later one."""
        return sum(taken < number for taken in self._taken)

    @contextmanager
    def _open(self, mode: str, n_later: int = 0) -> Iterator[tuple[int, IO[bytes]]]:
        """Lock the files, and open that of the last change or of a later one. Yield the change and the file."""
        fcntl.lockf(self._descriptors[0], fcntl.LOCK_EX)
        try:
            number = self._last[0] + n_later
            with open(self._descriptors[number % 2], mode, closefd=False) as file:
                file.seek(0)  # the processes share the position
                yield number, file
        finally:
            fcntl.lockf(self._descriptors[0], fcntl.LOCK_UN)


def _unnamed_file() -> int:
    descriptor, name = tempfile.mkstemp()
    Path(name).unlink()
    return descriptor


def stamp_of(path: Path, key: PublicKey | None) -> Stamp:
    """Return a value that changes with the content of a model file, and with its signature if there is a key."""
    stamp: Stamp = []
    for file in (path, signature_of(path)) if key else (path,):
        try:
            facts = file.stat()
            stamp.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
        except OSError:
            stamp.append(None)
    return stamp


def load_model(path: Path, key: PublicKey | None) -> Predictor:
    """Load a model file. With a key, nothing reads it before its signature is verified."""
    return Predictor.of(key.read(path), path) if key else Predictor.load(path)
