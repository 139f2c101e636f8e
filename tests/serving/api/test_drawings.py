"""Stored drawings: format, rejected bodies and limits."""

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.api import drawings
from serving.api.drawings import EXAMPLE, MAX_BYTES, store
from serving.api.messages import MAX_STROKES
from serving.api.strokes import MAX_POINTS
from serving.app import create_app
from serving.errors import StartError
from serving.http.middleware import Middleware
from serving.settings import Settings
from tests.serving.asgi import refused
from tests.serving.http.test_rights import ORIGIN, PREFLIGHT

TEXT = """.SEGMENT DIGIT 0 ? "7"
.COMMENT 7 0 0
.PEN_DOWN
100.00 400.00
400.00 400.00
200.00 50.00
.PEN_UP
"""


@pytest.fixture(scope="module")
def collector(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Middleware:
    """An application that stores drawings."""
    return create_app(replace(settings, collect=tmp_path_factory.mktemp("a") / "b" / "drawings"))


@pytest.fixture
def folder(collector: Middleware) -> Path:
    """Its folder, empty."""
    folder = collector.settings.collect
    assert folder
    shutil.rmtree(folder)
    folder.mkdir()
    return folder


@pytest.fixture
def collecting(collector: Middleware, folder: Path) -> TestClient:
    return TestClient(collector, raise_server_exceptions=False)


def stroke(n_points: int = 1, value: float = 0.5) -> list[list[float]]:
    return [[value, value]] * n_points


def test_a_drawing_is_stored_once_as_text(collecting: TestClient, folder: Path) -> None:
    response, again = (collecting.post("/api/drawings", json=EXAMPLE, headers={"user-agent": str(n)}) for n in (1, 2))
    assert response.status_code == again.status_code == 201
    assert response.json() == again.json()
    assert [path.name for path in folder.iterdir()] == [response.json()["id"] + ".unipen"]
    assert next(folder.iterdir()).read_text() == TEXT


BAD_BODIES = [b"", b"{}", b'{"label": 7}'] + [
    json.dumps(EXAMPLE).replace("0.2", text).encode() for text in ("NaN", "Infinity", "1e999", "9" * 400)
]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        *((body, 400, []) for body in BAD_BODIES),
        *(({"label": label}, 400, ["label"]) for label in (10, -1, 7.0, "7", True, None)),
        ({"strokes": [stroke(value=-0.51)]}, 400, ["$.strokes[0][0][0]", "-0.5"]),
        ({"strokes": [stroke(MAX_POINTS), stroke()]}, 413, [f"{MAX_POINTS + 1} points"]),
    ],
)
def test_a_bad_drawing_is_rejected(
    collecting: TestClient, folder: Path, changes: bytes | dict[str, Any], status: int, words: list[str]
) -> None:
    body = changes if isinstance(changes, bytes) else json.dumps(EXAMPLE | changes)
    headers = {"content-type": "application/json"}
    refused(collecting.post("/api/drawings", content=body, headers=headers), status, *words)
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    "strokes", [[stroke()] * MAX_STROKES, [stroke(MAX_POINTS)], [stroke(value=-0.5), stroke(value=1.5), [[0, 1]]]]
)
def test_a_drawing_at_the_limits_is_stored(collecting: TestClient, strokes: Any) -> None:
    assert collecting.post("/api/drawings", json={"strokes": strokes, "label": 0}).status_code == 201


def test_no_drawing_is_stored_by_default(client: TestClient, collecting: TestClient) -> None:
    refused(client.post("/api/drawings", json=EXAMPLE), 403, "--collect")
    assert client.get("/api/model").json()["service"] == {"collects": False, "runtime": False}
    assert collecting.get("/api/model").json()["service"] == {"collects": True, "runtime": False}


def test_the_labels_are_the_classes_of_the_loaded_model(
    collecting: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = collecting.app.engine  # type: ignore[attr-defined]
    card = engine.model.card
    monkeypatch.setattr(engine.predictor, "card", replace(card, classes=[*card.classes, "ten"]))
    assert collecting.post("/api/drawings", json=EXAMPLE | {"label": 10}).status_code == 201
    refused(collecting.post("/api/drawings", json=EXAMPLE | {"label": 11}), 400, "0 to 10")
    monkeypatch.setattr(engine, "predictor", None)
    refused(collecting.post("/api/drawings", json=EXAMPLE), 503, "not loaded")


def test_a_body_above_its_limit_is_refused(settings: Settings, folder: Path) -> None:
    client = TestClient(create_app(replace(settings, collect=folder, max_body_bytes=2 * MAX_BYTES)))
    body = json.dumps(EXAMPLE).encode().ljust(MAX_BYTES + 1)
    headers = {"content-type": "application/json"}
    refused(client.post("/api/drawings", content=body, headers=headers), 413, str(MAX_BYTES + 1))
    assert client.post("/api/drawings", content=body[:-1], headers=headers).status_code == 201


def test_pages_of_other_origins_cannot_store_drawings(collecting: TestClient, folder: Path) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""):
        headers = {"origin": ORIGIN, "content-type": content_type}
        refused(collecting.post("/api/drawings", content=json.dumps(EXAMPLE), headers=headers), 415, "application/json")
    preflight = collecting.options("/api/drawings", headers=PREFLIGHT)
    assert preflight.status_code == 405
    assert not any(name.startswith("access-control") for name in preflight.headers)
    assert [*folder.iterdir()] == []


def test_the_number_of_drawings_is_limited(
    collecting: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "MAX_DRAWINGS", 2)
    for label in (0, 1, 0):
        assert collecting.post("/api/drawings", json=EXAMPLE | {"label": label}).status_code == 201
    refused(collecting.post("/api/drawings", json=EXAMPLE | {"label": 2}), 507, "2 drawings")
    next(folder.iterdir()).unlink()
    assert collecting.post("/api/drawings", json=EXAMPLE | {"label": 2}).status_code == 201


def test_a_disk_error_is_reported_and_logged_and_leaves_no_file(
    collecting: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    refused(collecting.post("/api/drawings", json=EXAMPLE), 507, "could not be stored: No space left on device")
    assert str(folder) in caplog.text
    assert [*folder.iterdir()] == []


def test_several_workers_share_a_folder(folder: Path) -> None:
    bodies = [json.dumps({"strokes": [stroke(50, n / 100)], "label": 3}).encode() for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        ids = [*pool.map(lambda body: store(folder, body, 10), bodies * 4)]
    assert {path.name for path in folder.iterdir()} == {f"{id_}.unipen" for id_ in ids}
    assert len(set(ids)) == len(bodies)
    assert {path.read_text().count("\n") for path in folder.iterdir()} == {54}


def test_a_folder_that_cannot_be_written_to_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for bad in (file, file / "below"):
        with pytest.raises(StartError, match="--collect"):
            create_app(replace(settings, collect=bad))
