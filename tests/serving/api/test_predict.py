"""The answers of /api/predict and /api/model."""

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from serving.api.messages import MAX_STROKES
from serving.api.predict import MAX_INLINE_BYTES
from serving.api.strokes import MAX_POINTS
from serving.drawing.sheet import MARGIN_PX, PICTURE_PX, SIDE_PX, lay_out
from serving.http.compression import compress
from serving.http.middleware import Middleware
from serving.model.card import Thresholds
from serving.model.predictor import Prediction, Predictor, open_session
from serving.queue.engine import MAX_INLINE_PIXELS
from tests.serving.asgi import refused
from tests.serving.drawings import LONG, SEVEN, draw, encode, exif, sideways
from tests.serving.models import minimal

PNG = encode(draw(7), "PNG")
FIELDS = {"state", "digit", "confidence", "probabilities", "digit_score", "model_version"}
FULL = "?detail=full"


def read(client: TestClient, data: bytes, content_type: str = "image/png", query: str = "") -> dict[str, Any]:
    response = client.post(f"/api/predict{query}", content=data, headers={"content-type": content_type})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert set(answer) == FIELDS | ({"box", "normalized", "width", "height"} if query == FULL else set())
    return answer


def test_the_answer_for_a_digit(client: TestClient, predictor: Predictor) -> None:
    answer = read(client, PNG, query=FULL)
    assert read(client, PNG) == {name: answer[name] for name in FIELDS}
    assert (answer["state"], answer["digit"]) == ("digit", 7)
    assert answer["confidence"] == max(answer["probabilities"]) == answer["probabilities"][7]
    assert len(answer["probabilities"]) == 10
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert predictor.card.thresholds.digit_score <= answer["digit_score"] <= 1
    assert predictor.card.thresholds.confidence <= answer["confidence"] <= 1
    assert (answer["width"], answer["height"]) == (280, 280)
    assert answer["model_version"] == predictor.card.version
    box = answer["box"]
    assert (box["left"], box["top"], box["right"], box["bottom"]) == pytest.approx((58, 48, 222, 252), abs=3)
    normalized = base64.b64decode(answer["normalized"])
    assert len(normalized) == 784
    assert max(normalized) == 255


def test_every_form_of_body_gives_the_same_answer(client: TestClient) -> None:
    expected = read(client, PNG)
    text = base64.b64encode(PNG).decode()
    raw = draw(7).tobytes()
    assert read(client, raw, "application/octet-stream", "?width=280&height=280") == expected
    assert read(client, PNG, "application/x-www-form-urlencoded") == expected
    assert read(client, PNG, "text/plain; charset=utf-8") == expected
    for image in (text, f"data:image/png;base64,{text}"):
        assert read(client, json.dumps({"image": image}).encode(), "Application/JSON; charset=utf-8") == expected
    assert client.post("/api/predict", files={"any": ("seven.png", PNG)}).json() == expected
    assert client.post("/api/predict", files={"any": PNG}, data={"note": "before"}).json() == expected
    assert client.post("/api/predict", content=iter([PNG[:50], PNG[50:]])).json() == expected
    form = client.build_request("POST", "/api/predict", files={"image": ("seven.png", PNG)})
    for coding in ("gzip", "deflate"):
        for content, content_type in ((PNG, "image/png"), (form.read(), form.headers["content-type"])):
            headers = {"content-type": content_type, "content-encoding": coding}
            assert client.post("/api/predict", content=compress(content, coding), headers=headers).json() == expected


def as_json(strokes: Any) -> bytes:
    return json.dumps({"strokes": strokes}).encode()


def test_strokes_are_read_as_the_picture_that_is_drawn_of_them(client: TestClient) -> None:
    strokes = SEVEN["strokes"]
    drawn = lay_out([np.array(stroke) for stroke in strokes]).draw()
    query, headers = f"{FULL}&width={PICTURE_PX}&height={PICTURE_PX}", {"content-type": "application/octet-stream"}
    expected = client.post("/api/predict" + query, content=drawn.tobytes(), headers=headers).json()
    assert (expected["state"], expected["digit"]) == ("digit", 7)
    expected |= {"width": SIDE_PX, "height": SIDE_PX}  # of the sheet, without the paper around it
    expected["box"] = {side: place - MARGIN_PX for side, place in expected["box"].items()}
    assert read(client, as_json(strokes), "application/json", FULL) == expected
    assert read(client, as_json(strokes), "text/plain") == {name: expected[name] for name in FIELDS}
    points = [strokes[0][0]] * 1_000 + strokes[0]
    assert len(as_json([points])) > MAX_INLINE_BYTES
    assert read(client, as_json([points])) == {name: expected[name] for name in FIELDS}


@pytest.mark.parametrize(("size", "left", "top"), [(0.05, 0.1, 0.9), (0.05, 0, 0), (0.05, 0.95, 0), (0.2, 0.8, 0.4)])
def test_small_strokes_are_read_and_their_box_is_on_the_sheet(
    client: TestClient, size: float, left: float, top: float
) -> None:
    points = np.array(SEVEN["strokes"][0])
    low, high = points.min(axis=0), points.max(axis=0)
    placed = (points - low) / (high - low).max() * size + (left, top)
    answer = read(client, as_json([placed.tolist()]), query=FULL)
    assert (answer["state"], answer["digit"]) == ("digit", 7)
    assert (answer["width"], answer["height"]) == (SIDE_PX, SIDE_PX)
    pen = 0.12 * size / 2
    sides = np.clip([*placed.min(axis=0) - pen, *placed.max(axis=0) + pen], 0, 1) * SIDE_PX
    assert [answer["box"][side] for side in ("left", "top", "right", "bottom")] == pytest.approx(sides.tolist(), abs=1)


def test_a_drawing_with_long_lines_is_not_drawn_on_the_event_loop(
    client: TestClient, app: Middleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    run = app.engine.large.run
    monkeypatch.setattr(app.engine.large, "run", lambda *task: drawn.append(task[1]) or run(*task))
    read(client, as_json(SEVEN["strokes"]))
    assert drawn == []
    read(client, as_json(LONG["strokes"]))
    assert drawn[0].n_pixels > MAX_INLINE_PIXELS


@pytest.mark.parametrize(
    ("strokes", "status", "words"),
    [
        ([], 400, ["$.strokes", "length >= 1"]),
        ([[]], 400, ["$.strokes[0]"]),
        ([[[0.5, 0.5]], [[0.5, 1.51]]], 400, ["$.strokes[1][0][1]", "1.5"]),
        ([[[0.5, 0.5, 0.5]]], 400, ["$.strokes[0][0]"]),
        ([[[0.5, 0.5]]] * (MAX_STROKES + 1), 400, ["$.strokes", str(MAX_STROKES)]),
        ([[[0.5, 0.5]] * MAX_POINTS, [[0, 0]]], 413, [f"{MAX_POINTS + 1} points", str(MAX_POINTS)]),
    ],
)
def test_strokes_above_a_limit_are_refused(client: TestClient, strokes: Any, status: int, words: list[str]) -> None:
    refused(client.post("/api/predict", content=as_json(strokes)), status, *words)


def test_an_mnist_image_needs_no_size(client: TestClient) -> None:
    image = draw(7).resize((28, 28)).tobytes()
    expected = read(client, image, "application/octet-stream", "?width=28&height=28")
    assert read(client, image, "application/octet-stream") == expected
    for other in (image[1:], image + b"0"):
        response = client.post("/api/predict", content=other, headers={"content-type": "application/octet-stream"})
        refused(response, 415, "?width=", "?height=", f"{len(other)} bytes")


def test_a_blank_image(client: TestClient) -> None:
    answer = read(client, encode(Image.new("L", (10, 10), 255), "PNG"), query=FULL)
    assert answer["state"] == "blank"
    assert answer["digit"] is answer["confidence"] is answer["box"] is None
    assert answer["digit_score"] == 0
    assert base64.b64decode(answer["normalized"]) == bytes(784)


@pytest.mark.parametrize(
    ("digit_score", "shares", "state", "best"),
    [
        (0.97, {7: 0.9, 1: 0.1}, "digit", (7, 0.9)),
        (0.97, {4: 0.48, 9: 0.45, 0: 0.07}, "unsure", (4, 0.48)),
        (0.97, {8: 0.5, 3: 0.5}, "unsure", (3, 0.5)),
        # Rounded, these would be a digit and a blank image.
        (0.97, {7: 0.8749999, 1: 0.1250001}, "unsure", (7, 0.875)),
        (1e-9, {7: 1}, "not_a_digit", (None, None)),
        (0.2, {4: 0.48, 9: 0.45, 0: 0.07}, "not_a_digit", (None, None)),
        (0, dict.fromkeys(range(10), 0.1), "blank", (None, None)),
    ],
)
def test_the_answer_for_each_state(
    client: TestClient, app: Middleware, monkeypatch: pytest.MonkeyPatch,
    digit_score: float, shares: dict[int, float], state: str, best: Any,
) -> None:  # fmt: skip
    probabilities = np.array([[shares.get(digit, 0) for digit in range(10)]], np.float32)
    seen, box = np.zeros((1, 28, 28), np.uint8), np.zeros((1, 4), np.float32)
    prediction = Prediction(probabilities, np.array([digit_score], np.float32), seen, box)
    predictor = app.engine.model
    monkeypatch.setattr(predictor, "run", lambda *_: prediction)
    monkeypatch.setattr(predictor, "card", replace(predictor.card, thresholds=Thresholds(0.5, 0.875)))
    answer = read(client, PNG, query=FULL)
    assert (answer["state"], answer["digit"], answer["confidence"]) == (state, *best)
    assert answer["probabilities"] == pytest.approx(probabilities[0].tolist(), abs=1e-6)
    assert (answer["box"] is None) == (state == "blank")


def test_a_model_without_the_optional_outputs_and_entries_is_served(
    client: TestClient, app: Middleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = minimal()
    predictor = Predictor(open_session(model), model)
    predictor.warm()
    predictor.check()
    assert [output.name for output in predictor.card.outputs] == ["probabilities", "digit_score"]
    expected = read(client, PNG)
    monkeypatch.setattr(app.engine, "predictor", predictor)
    assert read(client, PNG) == expected | {"model_version": predictor.card.version}
    refused(client.post("/api/predict" + FULL, content=PNG), 404, "'normalized'", "without ?detail=full")
    card = client.get("/api/model").json()
    assert (card["version"], card["network"]) == (predictor.card.version, None)


def test_features_are_answered_if_they_are_asked_for(
    client: TestClient, app: Middleware, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = read(client, PNG, query=FULL)
    expected = predictor.run(np.asarray(draw(7))[None], with_features=True).features
    for query, others in (("features", {}), ("full,features", full), ("features,full", full)):
        answer = client.post(f"/api/predict?detail={query}", content=PNG).json()
        assert set(answer) == FIELDS | set(others) | {"features"}
        assert answer["features"] == pytest.approx(expected[0].tolist(), abs=1e-6)
        assert {name: answer[name] for name in others} == others
    bare = minimal()
    monkeypatch.setattr(app.engine, "predictor", Predictor(open_session(bare), bare))
    for query in ("features", "full,features"):
        refused(client.post(f"/api/predict?detail={query}", content=PNG), 404, "'features'", "without ?detail=features")


@pytest.mark.parametrize("detail", ["all", "", "full,", "features,all"])
def test_an_unknown_detail_is_refused(client: TestClient, detail: str) -> None:
    refused(client.post(f"/api/predict?detail={detail}", content=PNG), 400, "?detail=", "full", "features")


def test_a_phone_photo_is_measured_in_its_own_pixels(client: TestClient) -> None:
    photo = draw(7).resize((3024, 4032))
    answer = read(client, encode(sideways(photo, 6).convert("RGB"), "JPEG", exif=exif(6)), "image/jpeg", FULL)
    assert (answer["state"], answer["digit"]) == ("digit", 7)
    assert (answer["width"], answer["height"]) == (3024, 4032)
    expected = {"left": 58 * 10.8, "top": 48 * 14.4, "right": 222 * 10.8, "bottom": 252 * 14.4}
    assert answer["box"] == pytest.approx(expected, abs=60)


@pytest.mark.parametrize(
    ("data", "content_type", "query", "status", "words"),
    [
        (b"", "image/png", "", 400, ["0 bytes"]),
        (b"12345", "application/octet-stream", "?width=2&height=3", 400, ["5 bytes", "2 x 3", "6"]),
    ],
)
def test_a_bad_request_is_refused(
    client: TestClient, data: bytes, content_type: str, query: str, status: int, words: list[str]
) -> None:
    response = client.post(f"/api/predict{query}", content=data, headers={"content-type": content_type})
    refused(response, status, *words)
