"""The V2 protocol over plain HTTP; test_client.py has NVIDIA's client."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from serving.http.middleware import Middleware
from serving.model.predictor import Predictor, open_session
from tests.serving.asgi import exchange, refused
from tests.serving.drawings import draw
from tests.serving.models import minimal

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
    # KServe's client decodes JSON: `response.json().get("live")`, and the same with "ready".
    client = TestClient(own_app)
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/digits/ready").json() == {"name": "digits", "ready": True}
    monkeypatch.setattr(own_app.service, "is_draining", True)
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": False}
    assert client.get("/v2/models/digits/ready").json() == {"name": "digits", "ready": False}
    assert [client.get(f"/v2/health/{state}").status_code for state in ("live", "ready")] == [200, 503]
    assert client.get("/v2/models/digits/ready").status_code == 503
    assert infer(client).status_code == 200
    assert infer(client).headers["connection"] == "close"


def test_a_request_of_kserve_is_answered(client: TestClient) -> None:
    # As KServe's `InferRequest.to_rest` makes it: with the model's name, and parameters of its own.
    request = {"id": "a1", "model_name": "digits", "inputs": [TENSOR | {"parameters": {"of": "kserve"}}]}
    answer = client.post(INFER, json=request | {"parameters": {"also": 1}}).json()
    assert (answer["id"], answer["model_name"]) == ("a1", "digits")
    assert all({"name", "shape", "datatype", "data"} == set(output) for output in answer["outputs"])
    blob = json.dumps({"inputs": [TENSOR | {"data": None, "parameters": {"binary_data_size": 784}}]})
    binary = blob.replace('"data": null, ', "").encode()
    headers = {"inference-header-content-length": str(len(binary)), "content-type": "application/octet-stream"}
    assert client.post(INFER, content=binary + SEVEN.tobytes(), headers=headers).json()["outputs"] == answer["outputs"]


def test_an_unsupported_coding_names_the_supported_ones(client: TestClient) -> None:
    response = infer(client, content_encoding="br")
    refused(response, 415, "Content-Encoding")
    assert response.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_only_a_large_answer_is_compressed(client: TestClient, coding: str) -> None:
    whole = infer(client, accept_encoding=f"br, {coding}")
    assert whole.headers["content-encoding"] == coding
    assert int(whole.headers["content-length"]) < len(whole.content)
    assert values(whole) == values(infer(client))
    assert "content-encoding" not in infer(client, accept_encoding="br").headers
    few = json.dumps({"inputs": [TENSOR], "outputs": [{"name": "box"}]}).encode()
    assert "content-encoding" not in infer(client, few, accept_encoding=coding).headers


def test_features_are_answered_if_they_are_named(
    own_app: Middleware, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(own_app)
    named = json.dumps({"inputs": [TENSOR], "outputs": [{"name": "features"}]}).encode()
    expected = predictor.run(SEVEN[None], with_features=True).features
    assert values(infer(client, named)) == {"features": pytest.approx(expected[0].tolist(), abs=1e-6)}
    assert "features" not in values(infer(client))
    outputs = client.get("/v2/models/digits").json()["outputs"]
    assert outputs[-1] == {"name": "features", "datatype": "FP32", "shape": [-1, expected.shape[1]]}
    bare = minimal()
    monkeypatch.setattr(own_app.engine, "predictor", Predictor(open_session(bare), bare))
    refused(infer(client, named), 404, "lacks one of the `outputs`", "probabilities")


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


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"parameters": {"config": "{}"}}', "own file"),
        ('{"parameters": {"file:1/model.onnx": "AAAA"}}', "own file"),
        ('{"parameters": []}', "$.parameters`"),
        ("[]", "object"),
        ("{", "JSON"),
    ],
)
def test_a_load_of_another_file_is_refused(client: TestClient, body: str, word: str) -> None:
    refused(client.post("/v2/repository/models/digits/load", content=body), 400, word)
