"""Start the service as a process, watch its memory and keep its log."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from serving.settings import ROOT

from ..conftest import MODEL

END_S = 30
SAMPLE_S = 0.02


@dataclass
class Running:
    """A service that listens.

    Attributes:
        address: host and port.
        popen: the process; with several workers, the supervisor.
        model: the model file, its own.
        errors: the file that its stderr goes to.
    """

    address: tuple[str, int]
    popen: subprocess.Popen[str]
    model: Path
    errors: Path

    def processes(self) -> list[psutil.Process]:
        """The process and its workers; those that are just ending are left out."""
        parent = psutil.Process(self.popen.pid)
        return [parent, *(child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE)]

    def memory(self) -> int:
        """Resident bytes of all its processes."""
        n_bytes = 0
        for process in self.processes():
            try:
                n_bytes += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return n_bytes

    def said(self) -> str:
        """What it has written on stderr."""
        return self.errors.read_text()


@contextmanager
def running(folder: Path, *flags: str, core: int | None = None) -> Iterator[Running]:
    """A service with flags, started in a folder, on one core if that is given; killed with its workers at the end."""
    model = Path(shutil.copy(MODEL, folder / "digits.onnx"))
    command = [sys.executable, "-m", "serving", "--port", "0", "--model", str(model), *flags]
    with (folder / "stderr.txt").open("w") as errors:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        assert popen.stdout
        host, _, port = popen.stdout.readline().strip().rpartition("//")[2].rpartition(":")
        yield Running((host, int(port)), popen, model, folder / "stderr.txt")
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                popen.wait(END_S)
            except subprocess.TimeoutExpired:
                popen.kill()
        popen.communicate()


@dataclass
class Peak:
    """The most memory that a service took while it was watched, in bytes."""

    n_bytes: int = 0
    _is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def watched(service: Running) -> Iterator[Peak]:
    """Takes samples of a service's memory."""
    peak = Peak()

    def watch() -> None:
        while not peak._is_over.wait(SAMPLE_S):
            peak.n_bytes = max(peak.n_bytes, service.memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        peak._is_over.set()
        thread.join()


def wait_until(is_so: Callable[[], bool], seconds: float = END_S) -> None:
    """Asks until it is so.

    Raises:
        TimeoutError: it was not within `seconds`.
    """
    end_s = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end_s:
            raise TimeoutError(f"It did not come about within {seconds} s.")
        time.sleep(SAMPLE_S)
