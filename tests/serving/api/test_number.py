"""Numbers of several digits: the answer, its limits, and model files without the weights."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from serving.api.messages import HIGHEST
from serving.api.number import EXAMPLE, MAX_BYTES
from serving.api.strokes import MAX_POINTS
from serving.http.middleware import Middleware
from serving.model.predictor import Predictor, open_session
from serving.numbers.reader import MAX_STROKES
from serving.numbers.weights import NumberWeights
from tests.serving.asgi import refused
from tests.serving.models import minimal, with_metadata

WEIGHTS = NumberWeights(score=2.0, digit=0.0, gap=3.0, late=0.3, lowness=3.0, width=3.0, overlap=5.0, max_cost=20.0)

ONE = [[[0.2, 0.3], [0.2, 0.7]]]
FOUR = [[[0.3, 0.3], [0.25, 0.5], [0.5, 0.5]], [[0.43, 0.35], [0.42, 0.7]]]
SEVEN = [[[0.6, 0.3], [0.85, 0.3], [0.7, 0.7]], [[0.65, 0.5], [0.85, 0.5]]]


@pytest.fixture(scope="module")
def numbers(own_app: Middleware) -> TestClient:
    """A client of a service whose model has the weights."""
    model = with_metadata(number=json.dumps(asdict(WEIGHTS)))
    own_app.engine.predictor = Predictor(open_session(model), model)
    return TestClient(own_app, raise_server_exceptions=False)


def ask(client: TestClient, strokes: Any) -> dict[str, Any]:
    response = client.post("/api/number", json={"strokes": strokes})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize(
    ("strokes", "owners"),
    [
        ([*ONE, *FOUR, *SEVEN], [[0], [1, 2], [3, 4]]),
        ([*SEVEN, *FOUR, *ONE], [[4], [2, 3], [0, 1]]),
        ([FOUR[0], *ONE, SEVEN[0], FOUR[1], SEVEN[1]], [[1], [0, 3], [2, 4]]),
    ],
)
def test_a_number_is_read_whatever_the_order_of_the_strokes(numbers: TestClient, strokes: Any, owners: Any) -> None:
    answer = ask(numbers, strokes)
    assert (answer["state"], answer["number"]) == ("number", "147")
    assert [digit["strokes"] for digit in answer["digits"]] == owners
    assert [digit["digit"] for digit in answer["digits"]] == [1, 4, 7]
    for digit in answer["digits"]:
        points = np.concatenate([strokes[index] for index in digit["strokes"]])
        assert list(digit["box"].values()) == pytest.approx([*points.min(axis=0), *points.max(axis=0)])
        assert digit["confidence"] > 0.5 < digit["digit_score"]
    others = [other["confidence"] for other in answer["alternatives"]]
    assert len(others) == 2
    assert 1 >= answer["confidence"] > others[0] >= others[1]
    assert answer["number"] not in [other["number"] for other in answer["alternatives"]]


def test_one_digit_is_a_number_of_one_digit(numbers: TestClient) -> None:
    answer = ask(numbers, FOUR)
    assert (answer["state"], answer["number"]) == ("number", "4")
    assert answer["digits"][0]["strokes"] == [0, 1]


@pytest.mark.parametrize(
    "strokes",
    [
        [[[0.5, 0.5]]],
        [[[x / 50, 0.5 + 0.2 * (-1) ** x] for x in range(50)], *ONE],  # a zigzag over the sheet
        [[[0, 0], [HIGHEST, HIGHEST]]] * MAX_STROKES,
    ],
)
def test_what_is_no_number_has_no_digits(numbers: TestClient, strokes: Any) -> None:
    answer = ask(numbers, strokes)
    assert answer.pop("model_version")
    nothing = {"number": None, "confidence": None, "digits": [], "alternatives": []}
    assert answer == {"state": "not_a_number"} | nothing


def test_the_confidence_decides_whether_a_number_is_sure(own_app: Middleware, monkeypatch: pytest.MonkeyPatch) -> None:
    thresholds = {"digit_score": 1e-6, "confidence": 1}
    model = with_metadata(number=json.dumps(asdict(WEIGHTS)), thresholds=json.dumps(thresholds))
    monkeypatch.setattr(own_app.engine, "predictor", Predictor(open_session(model), model))
    assert ask(TestClient(own_app), [*ONE, *FOUR])["state"] == "unsure"


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b'{"strokes": []}', 400, ["length >= 1"]),
        (json.dumps({"strokes": ONE * (MAX_STROKES + 1)}).encode(), 400, [f"length <= {MAX_STROKES}"]),
        (json.dumps({"strokes": [[[0, 0]] * (MAX_POINTS + 1)]}).encode(), 413, [f"limit is {MAX_POINTS}"]),
        (bytes(MAX_BYTES + 1), 413, [str(MAX_BYTES)]),
    ],
)
def test_a_bad_request_is_refused(numbers: TestClient, content: bytes, status: int, words: list[str]) -> None:
    response = numbers.post("/api/number", content=content, headers={"content-type": "application/json"})
    refused(response, status, *words)


def test_a_file_without_the_weights_reads_no_numbers(own_app: Middleware, monkeypatch: pytest.MonkeyPatch) -> None:
    model = minimal()
    monkeypatch.setattr(own_app.engine, "predictor", Predictor(open_session(model), model))
    client = TestClient(own_app)
    refused(client.post("/api/number", json=EXAMPLE), 404, "'number'")
    assert client.get("/api/model").json()["number"] is None
