"""The model's file, which a browser that reads without the service loads."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.api.predict import RUNTIME
from serving.app import create_app
from serving.settings import Settings
from tests.serving.asgi import refused
from tests.serving.conftest import LOOPBACK


@pytest.fixture
def with_runtime(settings: Settings, tmp_path: Path) -> TestClient:
    for name in RUNTIME:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"runtime " * 1000)
    return TestClient(create_app(replace(settings, web=tmp_path)), client=LOOPBACK)


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_it_is_the_file_that_the_card_describes(with_runtime: TestClient, coding: str) -> None:
    with with_runtime as client:
        card = client.get("/api/model").json()
        response = client.get("/api/model.onnx", headers={"accept-encoding": coding})
    assert card["service"]["runtime"]
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers.get("content-encoding", "identity") == coding
    assert hashlib.sha256(response.content).hexdigest() == card["sha256"]


def test_without_the_runtime_there_is_no_use_for_it(client: TestClient) -> None:
    refused(client.get("/api/model.onnx"), 404, "make runtime")


def test_the_runtime_is_served_compressed_and_with_its_type(with_runtime: TestClient) -> None:
    for name, kind in zip(RUNTIME, ("text/javascript; charset=utf-8", "application/wasm"), strict=True):
        response = with_runtime.get(f"/{name}", headers={"accept-encoding": "gzip"})
        assert response.headers["content-type"] == kind
        assert response.headers["content-encoding"] == "gzip"
