"""A fresh clone, and `make` in it with this environment."""

import contextlib
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.project import ENVIRONMENT, ROOT, Project, answers, free_port, started

# With VENV given, make installs nothing.
MAKE = ("make", f"VENV={sys.prefix}")
UNSET = ("INKLING_MIRROR", "VIRTUAL_ENV")
NO_PROXY = {"https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1,localhost"}
OFFLINE = {name: value for name, value in ENVIRONMENT.items() if name not in UNSET} | NO_PROXY


def clone_into(directory: Path, source: Path = ROOT) -> Project:
    subprocess.run(["git", "clone", "-q", str(source), str(directory)], check=True)
    return Project(directory)


@contextlib.contextmanager
def served(directory: Path, target: str, *settings: str, seconds: float = 60) -> Iterator[tuple[str, Path]]:
    """Run a target of make that serves until Ctrl+C; yield the address and the log once it answers."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    log = directory.parent / f"{target}.log"
    command = [*MAKE, target, *settings, f"PORT={port}"]
    options = {"seconds": seconds, "number": signal.SIGINT, "cwd": directory, "env": OFFLINE}
    with started(command, lambda: answers(address), log, **options):
        yield address, log


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()
