"""The network without preprocessing agrees with the whole model and returns its feature maps."""

import base64
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from serving.api.network import MAX_GRIDS, N_GRID_BYTES, N_IN_BATCH
from serving.api.predict import SCORE_DECIMALS
from serving.http.middleware import Middleware
from serving.model.predictor import Predictor, open_session
from tests.serving.asgi import refused
from tests.serving.drawings import STROKES, draw, encode
from tests.serving.models import with_metadata

HEADERS = {"content-type": "application/octet-stream"}
VERDICT = ("state", "digit", "confidence", "probabilities", "digit_score")
CLOSE = 5 * 10**-SCORE_DECIMALS  # a batch of another size adds up in another order


def ask(client: TestClient, grids: bytes, layers: str = "") -> dict[str, Any]:
    response = client.post("/api/network", content=grids, headers=HEADERS, params={"layers": layers} if layers else {})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def read(client: TestClient, digit: int) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/predict?detail=full", content=encode(draw(digit), "PNG")).json()
    return answer


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(found) == set(VERDICT)
    for key in VERDICT:
        assert found[key] == (expected[key] if key == "state" else pytest.approx(expected[key], abs=CLOSE)), key


@pytest.fixture(scope="module")
def grids(client: TestClient) -> bytes:
    return b"".join(base64.b64decode(read(client, digit)["normalized"]) for digit in STROKES)


def test_the_network_agrees_with_the_whole_model(client: TestClient, grids: bytes) -> None:
    answer = ask(client, grids)
    assert set(answer) == {"model_version", "answers"}
    for found, digit in zip(answer["answers"], STROKES, strict=True):
        expected = read(client, digit)
        assert answer["model_version"] == expected["model_version"]
        assert_same(found, expected)


def test_many_are_answered_in_their_order(client: TestClient, grids: bytes) -> None:
    rng = np.random.default_rng(0)
    many = rng.choice(np.frombuffer(grids, np.uint8).reshape(len(STROKES), -1), N_IN_BATCH + 2)
    many[1] = 0
    answers = ask(client, many.tobytes())["answers"]
    assert len(answers) == len(many)
    assert answers[1]["state"] == "blank"
    assert answers[1]["digit"] is answers[1]["confidence"] is None
    for at in (0, 1, N_IN_BATCH - 1, N_IN_BATCH, N_IN_BATCH + 1):
        assert_same(answers[at], ask(client, many[at].tobytes())["answers"][0])


def test_the_maps_are_of_the_first_grid(client: TestClient, grids: bytes) -> None:
    answer = ask(client, grids, "true")
    first, second = (ask(client, grids[start : start + N_GRID_BYTES], "true") for start in (0, N_GRID_BYTES))
    assert answer["layers"] == first["layers"] != second["layers"]
    assert len(answer["answers"]) == len(STROKES)
    sides = [layer["shape"][0] for layer in answer["layers"]]
    assert sides == sorted(sides, reverse=True)
    assert len(sides) > 1
    assert "layers" not in ask(client, grids, "false")


def test_a_kernel_makes_its_map(client: TestClient, grids: bytes) -> None:
    layer, *_ = ask(client, grids[:N_GRID_BYTES], "true")["layers"]
    rows, columns, n_maps = layer["shape"]
    levels = np.frombuffer(base64.b64decode(layer["maps"]), np.uint8).reshape(n_maps, rows, columns)
    channel = int(levels.max(axis=(1, 2)).argmax())
    kernel = client.get("/api/kernel", params={"layer": layer["name"], "channel": channel}).json()
    size = kernel["height"], kernel["width"]
    assert (kernel["reads"], kernel["stride"], kernel["n_maps"], size) == ("inputs", 1, 1, (3, 3))
    weights = np.frombuffer(base64.b64decode(kernel["weights"]), np.int8).reshape(size) * kernel["peak"] / 127
    grid = np.frombuffer(grids[:N_GRID_BYTES], np.uint8).reshape(28, 28) / 255
    sums = (np.lib.stride_tricks.sliding_window_view(grid, size) * weights).sum(axis=(2, 3))
    is_lit = levels[channel] > 0
    bias = (levels[channel] * layer["peak"] / 255 - sums)[is_lit]
    np.testing.assert_allclose(bias, np.median(bias), atol=0.03 * layer["peak"])
    second = client.get("/api/kernel", params={"layer": "conv2d_2", "channel": 0}).json()
    assert (second["reads"], second["stride"], second["n_maps"]) == ("conv2d_1", 2, n_maps)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ["?channel="]),
        ("?layer=conv2d_1", ["?channel="]),
        ("?layer=conv2d_1&channel=-1", ["?channel="]),
        ("?layer=conv2d_1&channel=1234567", ["?channel="]),
        ("?layer=conv2d_1&channel=8", ["?channel=", "0 to 7"]),
        ("?layer=maxpooling2d_1&channel=0", ["?layer=", "conv2d_5"]),
        ("?channel=0", ["?layer=", "conv2d_1"]),
    ],
)
def test_a_kernel_that_does_not_exist_is_refused(client: TestClient, query: str, words: list[str]) -> None:
    refused(client.get(f"/api/kernel{query}"), 400, *words)


BAD_SIZES = [0, 1, N_GRID_BYTES + 1]


@pytest.mark.parametrize(
    ("content", "content_type", "query", "status", "words"),
    [
        *(
            (bytes(n), "application/octet-stream", "", 400, [f"{n} bytes", f"1 to {MAX_GRIDS} grids"])
            for n in BAD_SIZES
        ),
        (bytes(MAX_GRIDS * N_GRID_BYTES + 1), "application/octet-stream", "", 413, [str(MAX_GRIDS * N_GRID_BYTES)]),
        (bytes(N_GRID_BYTES), "image/png", "", 415, ["application/octet-stream"]),
        (bytes(N_GRID_BYTES), "", "", 415, ["application/octet-stream"]),
        (bytes(N_GRID_BYTES), "application/octet-stream", "?layers=yes", 400, ["?layers="]),
    ],
)
def test_a_bad_request_is_refused(
    client: TestClient, content: bytes, content_type: str, query: str, status: int, words: list[str]
) -> None:
    response = client.post(f"/api/network{query}", content=content, headers={"content-type": content_type})
    refused(response, status, *words)


def test_a_file_without_one_is_served_and_the_network_is_not_found(
    app: Middleware, grids: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = with_metadata(network_alone="")
    monkeypatch.setattr(app.engine, "predictor", Predictor(open_session(model), model))
    refused(TestClient(app).post("/api/network", content=grids, headers=HEADERS), 404, "'network_alone'")
