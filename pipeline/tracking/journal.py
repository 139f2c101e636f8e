"""The journal of a run: what it has to tell the tracking store, on disk before the store is asked."""

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

from pipeline.base.files import file_sha256

SHARE = 0.05  # of the run's time that the store may take, beside the patience

log = logging.getLogger(__name__)

# "kind", "time" (ms since 1970), "store" (its address: a replay must not take it to another), and what belongs to the
# kind. One that speaks of a file has its "path", its "sha256" and, if it was not sent at once, a copy: "kept".
Event = dict[str, Any]
# Tells the store an event of the run with this id, once or again; returns the id, which the first event brings.
Send = Callable[[str, Event], str]


class Journal:
    """A file of JSON lines, one an event; it exists for as long as the store has not got all of them.

    The process that writes it holds a lock on it. The system takes the lock away however that process ends: a journal
    that can be locked, and does not end with the event `end`, was left by one that was killed.
    """

    def __init__(self, directory: Path, store: str, send: Send, patience_s: float) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._kept = directory / f"{time.time_ns()}-{uuid.uuid4().hex}"  # in the order of their names
        self._path = self._kept.with_suffix(".jsonl")
        new = self._kept.with_suffix(".new")  # a replay must not find it before it is locked
        self._file = new.open("a", buffering=1)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        new.rename(self._path)
        self._store = store
        self._send = send
        self._run_id = ""
        self._unsent: list[Event] = []
        self._patience_s = patience_s
        self._started, self._taken_s = time.monotonic(), 0.0
        self._is_warned = patience_s <= 0

    @property
    def is_sent(self) -> bool:
        """Whether the store has everything so far."""
        return not self._unsent

    def append(self, kind: str, **values: Any) -> Event:
        """Write an event down, send what is not sent yet if it is worth the time, and return the event."""
        event = {"kind": kind, "time": round(1000 * time.time()), "store": self._store} | values
        self._file.write(json.dumps(event) + "\n")
        self._unsent.append(event)
        if self._patience_s > 0 and not self._is_too_slow():
            self._flush()
        return event

    def append_file(self, kind: str, path: Path, **values: Any) -> None:
        """The same of a file, as it is now: another run may write over it before the store gets it."""
        sha256 = file_sha256(path)
        kept = self._kept / sha256 / path.name
        self.append(kind, path=str(path.resolve()), sha256=sha256, kept=str(kept.resolve()), **values)
        if self._unsent:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)

    def _flush(self) -> None:
        started, reason = time.monotonic(), ""
        try:
            while self._unsent:
                with _uninterrupted():
                    self._run_id = self._send(self._run_id, self._unsent[0])
                    del self._unsent[0]
        except Exception as error:  # whatever it is, it is not worth a training run
            reason = _first_line(error)
        self._taken_s += time.monotonic() - started
        if self._is_too_slow():
            reason = reason or "it is too slow"
        if reason and not self._is_warned:
            self._is_warned = True
            log.warning("MLflow at %s does not answer; going on without it (%s)", self._store, reason)

    def _is_too_slow(self) -> bool:
        return self._taken_s >= self._patience_s + SHARE * (time.monotonic() - self._started)

    def close(self) -> None:
        """Let go of it, and delete it if the store has everything."""
        with self._file:
            if self.is_sent:
                _delete(self._path)
            else:
                log.warning("`python -m pipeline.replay` will tell MLflow what it missed")


def replay(directory: Path, send: Send, patience_s: float) -> tuple[int, int]:
    """Send the journals below a directory that nobody writes any more.

    Args:
        directory: whatever its depth.
        send: to the store.
        patience_s: after so many seconds of failures the rest is left, of each store.

    Returns:
        Numbers of runs that the store knows whole now, and that it still does not.
    """
    # A sweep after its trials, which lie deeper.
    walked = os.walk(directory)  # others may delete what it comes to
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
                where = path.parent, events[0]["store"] if events else ""  # killed before its first word
                if left_s[where[1]] <= 0 or where in failed:  # a later one may add to a run that an earlier one begins
                    raise TimeoutError("the store does not answer")
                run_id = ""
                for event in events:
                    run_id = send(run_id, event)
                _delete(path)
                n_sent += 1
            except Exception as error:  # the others may have better luck
                left_s[where[1]] -= time.monotonic() - started
                failed.append(where)
                log.warning("%s is not sent (%s)", path, _first_line(error))
    return n_sent, len(failed)


def wait_for_trials(directory: Path) -> None:
    """Until no trial of a sweep that has begun runs any more: some launchers return when one of several was killed.

    Args:
        directory: of the sweep; those of its trials lie in it.
    """
    for path in directory.glob("*/journals/*.jsonl"):
        with contextlib.suppress(FileNotFoundError), path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def is_waiting(directory: Path, *texts: str) -> bool:
    """Whether a journal in this directory that is still to be sent has all these texts in it."""
    for path in directory.glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):  # sent in this moment
            told = path.read_text()
            if all(text in told for text in texts):
                return True
    return False


def content(event: Event) -> Path | None:
    """The file of an event as it was; None, with a warning: it is gone, or another by now."""
    for path in (Path(event["kept"]), Path(event["path"])):
        if path.exists() and file_sha256(path) == event["sha256"]:
            return path
    log.warning("%s is not what it was when it was recorded: MLflow does without it", event["path"])
    return None


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl+C and SIGTERM wait for the end of this; a second one does not.

    Where they arrive while the store's libraries let go of something, Python prints the KeyboardInterrupt and goes on:
    the training would never end.
    """
    if threading.current_thread() is not threading.main_thread():  # which has the signals
        yield
        return
    came = list[int]()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1 and callable(handler := handlers[signal.Signals(number)]):
            handler(number, frame)

    held = [number for number, handler in handlers.items() if callable(handler)]
    for number in held:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, handlers[number])
        if len(came) == 1:  # whether or not the store has failed meanwhile
            signal.raise_signal(came[0])


def _lock(path: Path) -> TextIO | None:
    """The journal, open; None: somebody writes or sends it."""
    try:
        file = path.open("r+")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)


def _read(file: TextIO, last_sign_of_life: float) -> list[Event]:
    """The events, the last of them `end`."""
    events = [json.loads(line) for line in file if line.endswith("\n")]  # a killed process may leave half a line
    if events and events[-1]["kind"] != "end":
        when, store = round(1000 * last_sign_of_life), events[-1]["store"]
        events.append({"kind": "end", "time": when, "store": store, "status": "KILLED"})
    return events


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
