"""The V2 protocol over plain HTTP; test_client.py has NVIDIA's client."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from serving.http.middleware import Middleware
from tests.serving.asgi import exchange, refused
from tests.serving.drawings import draw

INFER = "/v2/models/digits/infer"
SEVEN = np.asarray(draw(7).resize((28, 28)))
TENSOR = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": SEVEN.ravel().tolist()}
BODY = json.dumps({"inputs": [TENSOR]}).encode()


def infer(client: TestClient, body: bytes = BODY, **headers: str) -> httpx2.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(INFER, content=body, headers={"accept-encoding": "identity"} | names)


def values(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return {output["name"]: output["data"] for output in response.json()["outputs"]}


def test_a_service_that_ends_is_live_and_not_ready(own_app: Middleware, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(own_app)
    monkeypatch.setattr(own_app, "is_draining", True)
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 503
    assert client.get("/v2/models/digits/ready").status_code == 503
    assert infer(client).status_code == 200
    assert infer(client).headers["connection"] == "close"


def test_a_service_without_a_model_is_live_and_not_ready(own_app: Middleware, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(own_app)
    monkeypatch.setattr(own_app.engine, "predictor", None)
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 503
    refused(client.get("/v2/models/digits/ready"), 503, "not loaded")
    refused(infer(client), 503, "not loaded")
    assert client.get("/v2/models/digits/ready").headers["retry-after"] == "1"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_only_a_large_answer_is_compressed(client: TestClient, coding: str) -> None:
    whole = infer(client, accept_encoding=f"br, {coding}")
    assert whole.headers["content-encoding"] == coding
    assert int(whole.headers["content-length"]) < len(whole.content)
    assert values(whole) == values(infer(client))
    assert "content-encoding" not in infer(client, accept_encoding="br").headers
    few = json.dumps({"inputs": [TENSOR], "outputs": [{"name": "box"}]}).encode()
    assert "content-encoding" not in infer(client, few, accept_encoding=coding).headers


@pytest.mark.parametrize("name", ["<script>", "a" * 65, "a b", "caf\u00e9", "%22"])
def test_a_strange_name_is_not_repeated(client: TestClient, name: str) -> None:
    for address in (f"/v2/models/{name}", f"/v2/models/digits/versions/{name}"):
        response = client.get(address)
        refused(response, 404, "Request for unknown model: ")
        assert unquote(name) not in response.json()["error"]


def test_a_pinned_version_is_the_one_that_ran(own_app: Middleware) -> None:
    engine = own_app.engine
    loaded = engine.predictor
    other = copy.copy(loaded)
    other.card = replace(loaded.card, version="other")

    def chunks() -> Iterator[bytes]:
        yield BODY
        engine.predictor = other

    pinned = f"/v2/models/digits/versions/{loaded.card.version}/infer"
    try:
        status, answer = exchange(own_app, "POST", pinned, chunks=chunks())
        assert (status, b"version" in answer) == (404, True)
        assert exchange(own_app, "POST", INFER, chunks=[BODY])[0] == 200
    finally:
        engine.predictor = loaded
    assert exchange(own_app, "POST", pinned, chunks=[BODY])[0] == 200


def test_the_index_of_ready_models(own_app: Middleware, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(own_app)
    for state in ("READY", "UNAVAILABLE"):
        for body in ("", "{}"):
            assert [entry["state"] for entry in client.post("/v2/repository/index", content=body).json()] == [state]
        ready = client.post("/v2/repository/index", content='{"ready": true}').json()
        assert [entry["state"] for entry in ready] == [state] * (state == "READY")
        monkeypatch.setattr(own_app.engine, "predictor", None)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"parameters": {"config": "{}"}}', "own file"),
        ('{"parameters": {"file:1/model.onnx": "AAAA"}}', "own file"),
        ('{"parameters": []}', "`parameters`"),
        ("[]", "object"),
        ("{", "JSON"),
    ],
)
def test_a_load_of_another_file_is_refused(client: TestClient, body: str, word: str) -> None:
    refused(client.post("/v2/repository/models/digits/load", content=body), 400, word)
