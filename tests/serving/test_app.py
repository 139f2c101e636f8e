"""Routes, and the common format of errors."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.errors import ModelError, StartError
from serving.http.middleware import Middleware
from serving.settings import Settings

from .asgi import refused


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/predict", "POST"),
        ("POST", "/api/model", "GET"),
        ("DELETE", "/v2/health/live", "GET"),
        ("POST", "/", "GET"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_one(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert allowed in response.headers["allow"]
    assert allowed in response.json()["error"]


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/v2/models/digits/nothing", "/js"])
def test_an_unknown_address_is_404_without_a_redirect(client: TestClient, path: str) -> None:
    refused(client.get(path, follow_redirects=False), 404, "nothing at this address")


def test_a_disconnected_client_is_not_an_error(app: Middleware) -> None:
    async def leave() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            return None

        scope = {"type": "http", "method": "POST", "path": "/api/predict", "headers": [], "query_string": b""}
        await app(scope, receive, send)
        assert "status" not in scope  # no answer was sent

    anyio.run(leave)


def test_a_missing_model_or_page_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        create_app(replace(settings, model=tmp_path / "none.onnx"))
    with pytest.raises(StartError, match="--web"):
        create_app(replace(settings, web=tmp_path / "none"))
