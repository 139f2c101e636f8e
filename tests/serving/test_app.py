"""Routes, and the common format of errors."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.errors import ModelError, StartError
from serving.http.middleware import Middleware
from serving.model.predictor import Predictor
from serving.settings import Settings

from .asgi import refused
from .drawings import draw, encode


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


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api/nothing", "/v2/nothing", "/v2/models/digits/nothing", "/js", "/%00", "/../serving/app.py"],
)
def test_an_unknown_address_is_404_without_a_redirect(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path, follow_redirects=False)
    if method == "GET" or path.startswith(("/api", "/v2")):
        refused(response, 404, "nothing at this address")


FORM = {"content-type": "multipart/form-data"}
TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 2], "data": [9, 0, 9, 9]}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/predict", encode(draw(7), "PNG"), {}, 200),
        ("/api/predict", b"text", {}, 415),
        ("/api/predict", b"no boundary", FORM, 400),
        ("/v2/models/digits/infer", json.dumps({"inputs": [TENSOR]}).encode(), {}, 200),
        ("/v2/models/digits/infer", b"{", {}, 400),
    ],
)
@pytest.mark.parametrize("is_broken", [False, True])
def test_direct_endpoints_answer_like_routed_ones(
    app: Middleware, monkeypatch: pytest.MonkeyPatch, path: str, body: bytes, headers: Any, status: int, is_broken: bool
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    if is_broken:
        monkeypatch.setattr(Predictor, "run", fail)
        status = 500 if status == 200 else status
    client = TestClient(app, raise_server_exceptions=False)
    assert ("POST", path) in app.direct
    direct = client.post(path, content=body, headers=headers)
    monkeypatch.setattr(app, "direct", {})
    routed = client.post(path, content=body, headers=headers)
    assert direct.status_code == routed.status_code == status
    assert direct.content == routed.content
    assert [name for name, _ in direct.headers.items()] == [name for name, _ in routed.headers.items()]


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
