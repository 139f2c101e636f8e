"""Copies of the project with their command line, git and MLflow store; processes that a test starts and waits for.

Heavy libraries are imported where they are used: tests of the service and of the page use this module too.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
END_SECONDS = 30
# As in an activated environment, with the store of the copy, and without the arguments of the tests' own `make`.
UNSET = ("MLFLOW_TRACKING_URI", "MAKEFLAGS", "MAKELEVEL")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in UNSET} | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):  # urllib's errors and timeouts are of this kind
        urllib.request.urlopen(url, timeout=5).close()
        return True
    return False


def wait_until(
    is_ready: Callable[[], Any], process: subprocess.Popen[Any], seconds: float = 200, log: Path | None = None
) -> None:
    """Wait until a condition holds; fail with the log if the process ended first, or the time is over."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        logged = log.read_text(errors="replace") if log else ""
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}:\n{logged}"
        assert time.monotonic() < deadline, f"{process.args!r} is not ready after {seconds} s:\n{logged}"
        time.sleep(0.05)


def end(process: subprocess.Popen[Any], number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal to the group of a process that leads one, and wait for its end; kill the group if it is late."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


@contextlib.contextmanager
def started(
    command: Sequence[str],
    is_ready: Callable[[], Any],
    log: Path,
    *,
    seconds: float = 200,
    number: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command with its output in `log`, wait until it is ready, and end it with the context by a signal."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options)
    try:
        wait_until(is_ready, process, seconds, log)
        yield process
    finally:
        end(process, number)


def run(directory: Path, *command: str, env: Mapping[str, str] = ENVIRONMENT, ok: bool = True) -> str:
    """Run a command and return what it printed; fail if its exit code is not as expected."""
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


class Project:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = f"sqlite:///{directory / 'mlflow.db'}"

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `python -m ...` as the leader of a process group."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=self.directory, env=ENVIRONMENT | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, ok: bool = True, **environment: str) -> str:
        return run(self.directory, sys.executable, "-m", *arguments, env=ENVIRONMENT | environment, ok=ok)

    def git(self, *arguments: str) -> str:
        return run(self.directory, "git", *arguments).strip()

    def make_repository(self) -> None:
        """Make the directory a git repository with a branch `main`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        for name, value in (("user.name", "a user"), ("user.email", "user@example.org")):
            self.git("config", name, value)

    def commit(self, subject: str = "a change") -> str:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        return (self.directory / name).read_text()

    def write(self, name: str, content: str | bytes) -> bytes:
        """Write a file and return its bytes."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path.read_bytes()

    def client(self, store: str | None = None) -> Any:
        import mlflow

        return mlflow.MlflowClient(store or self.store)

    def is_up_to_date(self) -> bool:
        return "up to date" in self.run("dvc", "status")


def copy_of_project(directory: Path, overrides: Sequence[str]) -> Project:
    """Copy code and configuration, with other parameters; DVC runs there without git."""
    from pipeline.reproduce import copy_project

    copy_project(directory, list(overrides))
    return Project(directory)


def committed_copy(directory: Path, overrides: Sequence[str]) -> Project:
    """Copy the project into a git repository of its own, under DVC as this one is."""
    project = copy_of_project(directory, overrides)
    shutil.rmtree(directory / ".dvc")  # which is for DVC without git
    project.make_repository()
    project.run("dvc", "init", "-q")
    shutil.copy(ROOT / ".dvc" / "config", directory / ".dvc" / "config")
    project.commit()
    return project


def stages_run(output: str) -> list[str]:
    """Return the stages that `dvc repro` ran, from what it printed."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]
