"""One service on the committed model, for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from serving.app import create_app
from serving.predictor import Predictor
from serving.settings import ROOT, Settings

MODEL = ROOT / "models" / "digits.onnx"
MAX_BODY_BYTES = 2**20


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
    (folder / "js").mkdir()
    (folder / "js" / "app.js").write_text("export {};")
    return folder


@pytest.fixture(scope="session")
def settings(web: Path) -> Settings:
    """Settings with a body limit that a test can reach."""
    return Settings(model=MODEL, web=web, max_body_bytes=MAX_BODY_BYTES)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Starlette:
    """The application, not yet started."""
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: Starlette) -> Iterator[TestClient]:
    """A client of the started application; an unexpected exception fails the test."""
    with TestClient(app) as client:
        yield client
