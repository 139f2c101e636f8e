"""The real service, started for the tests of the page."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.api.predict import RUNTIME
from tests.project import ROOT, answers, free_port, started
from tests.web.node import package


@contextmanager
def running(log: Path, *flags: str, port: int = 0) -> Iterator[str]:
    """Start a service with the committed model, and yield its address."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "serving", "--port", str(port), *flags]
    with started(command, lambda: answers(f"{url}/v2/health/ready"), log, cwd=ROOT):
        yield url


def page_with_runtime(folder: Path) -> Path:
    """Return a copy of the page's folder with the runtime for the model, as `make runtime` installs it."""
    web = folder / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("*.wasm", "*.mjs"))
    for name in RUNTIME:
        shutil.copyfile(package(f"onnxruntime-web/dist/{Path(name).name}"), web / name)
    return web


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Build the page without a service, serve it with Python's file server, and yield its address."""
    built = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "serving.site", built, "--web", page_with_runtime(folder)], cwd=ROOT, check=True
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(built)]
    with started(command, lambda: answers(url), folder / "site.txt"):
        yield url


def service_answers(folder: Path, drawings: list[Any]) -> list[dict[str, Any]]:
    """Return a service's full answers to drawings."""
    answered = []
    with running(folder / "answers.txt") as url:
        for strokes in drawings:
            body = json.dumps({"strokes": strokes}).encode()
            request = urllib.request.Request(
                f"{url}/api/predict?detail=full", body, {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request) as response:
                answered.append(json.load(response))
    return answered
