"""Fixtures with a service on the committed model."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import Middleware
from serving.model.predictor import Predictor
from serving.settings import ROOT, Settings

MODEL = ROOT / "models" / "digits.onnx"
MAX_BODY_BYTES = 2**20
LOOPBACK = ("127.0.0.1", 50_000)  # a client on this machine, which may manage models


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """The committed model."""
    return Predictor.load(MODEL)


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page, and beside it a file that is nobody's business."""
    site = tmp_path_factory.mktemp("site")
    (site / "secret.txt").write_text("secret")
    folder = site / "web"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Inkling</title>")
    (folder / "docs.html").write_text("<!doctype html><title>Inkling's API</title>")
    (folder / "js").mkdir()
    (folder / "js" / "app.js").write_text("export {};")
    return folder


@pytest.fixture(scope="session")
def settings(web: Path) -> Settings:
    """Settings with a body limit that a test can reach."""
    return Settings(model=MODEL, web=web, max_body_bytes=MAX_BODY_BYTES, allowed_hosts=("testserver",))


@pytest.fixture(scope="session")
def app(settings: Settings) -> Middleware:
    """The application."""
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: Middleware) -> Iterator[TestClient]:
    """A client of the application; an unexpected exception fails the test."""
    with TestClient(app, client=LOOPBACK) as client:
        yield client


@dataclass
class Service:
    """A running process: its address as host:port, and the model file that is its own."""

    address: str
    model: Path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, web: Path) -> Iterator[Service]:
    """The service as a process of its own, for clients that need a real connection."""
    folder = tmp_path_factory.mktemp("service")
    model = shutil.copy(MODEL, folder / "digits.onnx")
    command = [sys.executable, "-m", "serving", "--port", "0", "--web", str(web), "--model", str(model)]
    command += ["--collect", str(folder / "drawings")]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "INKLING_MAX_BODY_BYTES": str(MAX_BODY_BYTES)}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Service(process.stdout.readline().strip().rpartition("//")[2], model)
        process.kill()
