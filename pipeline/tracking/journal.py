"""The journal of a run: its events are on disk before they are sent to the tracking store."""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from pipeline.base.addresses import without_credentials
from pipeline.base.files import file_sha256

SHARE = 0.05  # largest share of the run's time that the store may take, in addition to the patience

log = logging.getLogger(__name__)

# "kind", "time" (ms since 1970), "store" (its address: a replay must not send it to another one), and values of the
# kind. An event with a file has "sha256", "path" and "kept": where a copy is if it was not sent at once. Both paths are
# relative to the journal, because the project may be moved; `Send` gets them absolute.
Event = dict[str, Any]
# Sends an event of the run with this ID to the store; idempotent. Returns the ID, which the first event determines.
Send = Callable[[str, Event], str]


class Journal:
    """A file of JSON lines, one for each event; it exists until the store has all of them.

    The writing process holds a lock on it, which the system releases when the process ends. So a journal that can be
    locked, and that does not end with the event `end`, belongs to a killed process.
    """

    def __init__(self, directory: Path, store: str, send: Send, patience_s: float) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._kept = directory / f"{time.time_ns()}-{uuid.uuid4().hex}"  # names are in the order of time
        self._path = self._kept.with_suffix(".jsonl")
        new = self._kept.with_suffix(".new")  # a replay must not find it before it is locked
        self._file = new.open("a", buffering=1)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        new.rename(self._path)
        self._store, self._send, self._run_id, self._patience_s = store, send, "", patience_s
        self.unsent: list[Event] = []
        self._started, self._taken_s = time.monotonic(), 0.0
        self._is_warned = patience_s <= 0

    def append(self, kind: str, **values: Any) -> Event:
        """Write an event, send all unsent events unless the store is too slow, and return the event."""
        event = {"kind": kind, "time": round(1000 * time.time()), "store": self._store} | values
        self._file.write(json.dumps(event) + "\n")
        self.unsent.append(event)
        if self._patience_s > 0 and not self._is_too_slow():
            self._flush()
        return event

    def append_file(self, kind: str, path: Path, **values: Any) -> None:
        """Write an event with a file, and copy the file if it is not sent: another run may overwrite it."""
        sha256 = file_sha256(path)
        kept = self._kept / sha256 / path.name
        paths = {"path": path, "kept": kept}
        relative = {name: os.path.relpath(one.resolve(), self._path.parent.resolve()) for name, one in paths.items()}
        self.append(kind, sha256=sha256, **relative, **values)
        if self.unsent:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)

    def _flush(self) -> None:
        started, reason = time.monotonic(), ""
        try:
            while self.unsent:
                with _uninterrupted():
                    self._run_id = self._send(self._run_id, _located(self.unsent[0], self._path.parent))
                    del self.unsent[0]
        except Exception as error:  # errors of the store never end a training
            reason = first_line(error)
        self._taken_s += time.monotonic() - started
        if not reason and self._is_too_slow():
            reason = "it is too slow"
        if reason and not self._is_warned:
            self._is_warned = True
            log.warning("MLflow at %s failed; continuing without it (%s)", self._store, reason)

    def _is_too_slow(self) -> bool:
        return self._taken_s >= self._patience_s + SHARE * (time.monotonic() - self._started)

    def close(self) -> None:
        """Release the lock, and delete the journal if the store has all events."""
        with self._file:
            if self.unsent:
                log.warning("`python -m pipeline.replay` sends the missing events to MLflow")
            else:
                _delete(self._path)


def replay(directory: Path, send: Send, patience_s: float) -> tuple[int, int]:
    """Send all journals below a directory, at any depth, that no process writes.

    Skip a store after `patience_s` seconds of failures. Return the numbers of runs that were sent, and that were not.
    """
    # A sweep comes after its trials, which lie deeper.
    walked = os.walk(directory)  # other processes may delete files meanwhile
    paths = [Path(folder, name) for folder, _, names in walked for name in names if name.endswith(".jsonl")]
    n_sent, failed, left_s = 0, list[tuple[Path, str]](), defaultdict[str, float](lambda: patience_s)
    for path in sorted(paths, key=lambda path: (-len(path.parts), path.name)):
        started, where = time.monotonic(), (path, "")
        with contextlib.ExitStack() as opened:
            try:
                if not (file := _lock(path)):
                    continue
                opened.enter_context(file)
                events = _read(file, last_sign_of_life=path.stat().st_mtime)
                where = path.parent, events[0]["store"] if events else ""  # killed before its first event
                if left_s[where[1]] <= 0 or where in failed:  # a later journal may add to the run of an earlier one
                    raise TimeoutError("the store does not answer")
                run_id = ""
                for event in events:
                    run_id = send(run_id, _located(event, path.parent))
                _delete(path)
                n_sent += 1
            except Exception as error:  # the other journals may succeed
                left_s[where[1]] -= time.monotonic() - started
                failed.append(where)
                log.warning("%s is not sent (%s)", path, first_line(error))
    return n_sent, len(failed)


def wait_for_trials(directory: Path) -> None:
    """Wait until no trial of a sweep runs: some launchers return as soon as one of several trials was killed."""
    for path in directory.glob("*/journals/*.jsonl"):
        with contextlib.suppress(FileNotFoundError), path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def is_waiting(directory: Path, *texts: str) -> bool:
    """Return whether an unsent journal in this directory contains all these texts."""
    for path in directory.glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):  # just sent
            if all(text in path.read_text() for text in texts):
                return True
    return False


def content(event: Event) -> Path | None:
    """Return the file of an event; None, with a warning, if it was deleted or changed."""
    for path in (Path(event["kept"]), Path(event["path"])):
        if path.exists() and file_sha256(path) == event["sha256"]:
            return path
    log.warning("%s was changed or deleted after it was recorded: it is not sent to MLflow", event["path"])
    return None


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay Ctrl+C and SIGTERM until the end of the context; a second signal is not delayed.

    Python prints and ignores a KeyboardInterrupt that is raised in a finalizer of the store's libraries: the training
    would not end.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread handles signals
        yield
        return
    came = list[int]()
    both = {int(number): signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in both.items() if callable(handler)}

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if len(came) == 1:
            signal.raise_signal(came[0])


def _lock(path: Path) -> TextIO | None:
    """Open a journal; return None if a process writes or sends it."""
    with contextlib.ExitStack() as opened, contextlib.suppress(FileNotFoundError, BlockingIOError):
        file = opened.enter_context(path.open("r+"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened.pop_all()
        return file
    return None


def _located(event: Event, directory: Path) -> Event:
    """Return an event with absolute paths."""
    return event | {name: str((directory / event[name]).resolve()) for name in ("path", "kept") if name in event}


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)


def _read(file: TextIO, last_sign_of_life: float) -> list[Event]:
    """Return the events. The last one is `end`, also if the process was killed before it wrote one."""
    events = [json.loads(line) for line in file if line.endswith("\n")]  # a killed process may leave part of a line
    if events and events[-1]["kind"] != "end":
        time_ms = max(events[-1]["time"], round(1000 * last_sign_of_life))
        events.append(events[-1] | {"kind": "end", "time": time_ms, "status": "KILLED"})
    return events


def first_line(error: Exception) -> str:
    """Return a short message of an error, without credentials."""
    return without_credentials(str(error).splitlines()[0])[:200] if str(error) else type(error).__name__
