"""Start the service as a process and measure its memory."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from serving.settings import ROOT, Settings
from tests.project import END_SECONDS, started

SAMPLE_S = 0.02
ANNOUNCEMENT = " is listening on http://"


@dataclass
class Running:
    """A service that listens.

    Attributes:
        address: host and port.
        popen: the process; with several workers, the supervisor.
        model: its own copy of the committed model.
        log: the file with its standard output and error.
    """

    address: tuple[str, int]
    popen: subprocess.Popen[bytes]
    model: Path
    log: Path

    @property
    def host(self) -> str:
        return "{}:{}".format(*self.address)

    def processes(self) -> list[psutil.Process]:
        """Return the process and its workers, without those that have ended."""
        parent = psutil.Process(self.popen.pid)
        living = []
        for child in parent.children():
            with suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE:
                    living.append(child)
        return [parent, *living]

    def memory(self) -> int:
        """Return the resident bytes of all its processes."""
        n_bytes = 0
        for process in self.processes():
            try:
                n_bytes += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return n_bytes

    def said(self) -> str:
        """Return what it printed after the announcement of its address."""
        return "".join(line for line in self.log.read_text().splitlines(True) if ANNOUNCEMENT not in line)

    def wait(self) -> int:
        """Return the exit code, once it has ended."""
        return self.popen.wait(END_SECONDS)


@contextmanager
def running(folder: Path, *flags: str, **environment: str) -> Iterator[Running]:
    """Start a service in a folder, and end it with its workers."""
    model, log = Path(shutil.copy(Settings().model, folder / "digits.onnx")), folder / "log.txt"
    command = [sys.executable, "-m", "serving", "--port", "0", "--model", str(model), "--local-management", *flags]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    with started(command, lambda: ANNOUNCEMENT in log.read_text(), log, cwd=folder, env=env) as popen:
        (line,) = (line for line in log.read_text().splitlines() if ANNOUNCEMENT in line)
        host, _, port = line.rpartition("//")[2].rpartition(":")
        yield Running((host, int(port)), popen, model, log)


@dataclass
class Peak:
    """The most memory, in bytes, that a service used while it was watched."""

    n_bytes: int = 0
    _is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def watched(service: Running) -> Iterator[Peak]:
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
