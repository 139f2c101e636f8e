"""The real service, started for the tests of the page."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.project import ROOT, answers, free_port, started


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Start a service with the committed model, and yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "serving", "--port", str(port)]
    with started(command, lambda: answers(f"{url}/v2/health/ready"), log, cwd=ROOT):
        yield url
