"""The model that all workers use: a copy in a private folder, and numbers in memory that the workers share.

A worker that is asked for another model checks it, replaces the copy and increases the number of the last change. The
workers compare this number with their own ten times a second, and take up the copy. A new worker starts with the copy,
so it never loads an unchecked file.
"""

import atexit
import contextlib
import fcntl
import logging
import mmap
import os
import shutil
import tempfile
from pathlib import Path

from serving.errors import NotTakenUpError, StartError
from serving.model.predictor import Predictor

log = logging.getLogger(__name__)

# The next start recognizes the copy of a killed supervisor by its name, and because its folder is not locked.
PREFIX = "inkling-workers-"
COPY = "model.onnx"

Stamp = tuple[int, int, int]  # inode, bytes, nanoseconds of the last change


class SharedModel:
    """The shared copy, and the workers' progress.

    Attributes:
        file: the copy, always a complete file.
        stamp: stamp of the user's file when it was first copied.
        beats: a number for each worker, which it increases as long as its event loop runs.
    """

    def __init__(self, path: Path, n_workers: int) -> None:
        """Copy the user's file without a check: the first workers report its faults."""
        numbers = memoryview(mmap.mmap(-1, 8 * (2 + 2 * n_workers))).cast("q")
        self._last, self._taken, self.beats = numbers[:2], numbers[2 : 2 + n_workers], numbers[2 + n_workers :]
        self._last[1] = True
        self._worker = 0
        self.stamp = stamp_of(path)
        try:
            _sweep()
            folder = tempfile.mkdtemp(prefix=PREFIX)
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            self._lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # systemd-tmpfiles, too, deletes nothing in a locked folder
            self.file = Path(shutil.copyfile(path, Path(folder, COPY)))
        except OSError as error:
            text = f"The model file {path} cannot be copied to a temporary folder: {error.strerror}."
            raise StartError(text) from None

    def join(self, worker: int) -> None:
        """Act as this worker, in a forked process."""
        self._worker = worker
        os.close(self._lock)  # it ends with the supervisor

    def beat(self) -> None:
        """Show that this worker's event loop runs."""
        self.beats[self._worker] += 1

    def replace(self, content: bytes | None) -> int:
        """Let all workers use a checked model, or none. Return the number of the change."""
        new = self.file.with_name("new")
        try:
            with self.file.with_name("lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if content is not None:
                    new.write_bytes(content)
                    new.replace(self.file)
                self._last[1] = content is not None
                self._last[0] += 1
                return self._last[0]
        except OSError as error:
            text = f"The model cannot be copied for all workers, so the model in use stays: {error.strerror}."
            log.error(text)
            raise NotTakenUpError(text) from None

    def load(self) -> tuple[int, Predictor | None]:
        """Return the number of the last change, and the model that the workers use since, if any."""
        number, is_loaded = self._last
        return number, Predictor.load(self.file) if is_loaded else None

    def take(self, number: int) -> None:
        """Report that this worker has taken up the change with this number."""
        self._taken[self._worker] = number

    @property
    def is_behind(self) -> bool:
        """Return whether there is a change that this worker has not taken up."""
        return self._taken[self._worker] != self._last[0]

    def n_behind(self, number: int) -> int:
        """Return how many workers have taken up neither this change nor a later one."""
        return sum(taken < number for taken in self._taken)


def stamp_of(path: Path) -> Stamp | None:
    """Return a value that changes with the content of a file; None if there is no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _sweep() -> None:
    """Delete the copies of killed supervisors."""
    for file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{COPY}"):
        with contextlib.suppress(OSError):  # its supervisor lives, or it belongs to another user
            lock = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(file.parent)
            finally:
                os.close(lock)
