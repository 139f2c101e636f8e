"""Fixtures with a service on the committed model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import Middleware
from serving.model.predictor import Predictor
from serving.settings import ROOT, Settings

from .under_load.process import Running, running

MODEL = ROOT / "models" / "digits.onnx"
MAX_BODY_BYTES = 2**20
LOOPBACK = ("127.0.0.1", 50_000)  # a client on this machine, which may manage models with --local-management


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    return Predictor.load(MODEL)


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page, and beside it a file that must never be served."""
    site = tmp_path_factory.mktemp("site")
    (site / "secret.txt").write_text("secret")
    folder = site / "web"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Inkling</title>")
    (folder / "docs.html").write_text("<!doctype html><title>Inkling's API</title>")
    (folder / "js" / "app.js").write_text("export {};")
    return folder


@pytest.fixture(scope="session")
def settings(web: Path) -> Settings:
    """Settings with a body limit that a test can reach."""
    hosts = ("testserver",)
    return Settings(model=MODEL, web=web, max_body_bytes=MAX_BODY_BYTES, allowed_hosts=hosts, local_management=True)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Middleware:
    return create_app(settings)


@pytest.fixture(scope="module")
def own_app(settings: Settings) -> Middleware:
    """An application whose model or session a module of tests may change."""
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: Middleware) -> Iterator[TestClient]:
    """A client of the application; an unexpected exception fails the test."""
    with TestClient(app, client=LOOPBACK) as client:
        yield client


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, web: Path) -> Iterator[Running]:
    """The service as a process, for clients that need a real connection."""
    folder = tmp_path_factory.mktemp("service")
    flags = ["--web", str(web), "--collect", str(folder / "drawings"), "--max-body-bytes", str(MAX_BODY_BYTES)]
    with running(folder, *flags) as service:
        yield service
