"""Test the body limit, the headers, the error responses and the request log. test_rights.py tests the access rules."""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.ids import ids_of
from serving.http.middleware import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, Middleware
from serving.logs import JSONFormatter
from serving.model.predictor import Predictor
from serving.settings import ROOT, Settings
from tests.serving.asgi import exchange, refused
from tests.serving.conftest import LOOPBACK, MAX_BODY_BYTES
from tests.serving.drawings import draw, encode

CHUNK_BYTES = 2**16
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("n_bytes", [MAX_BODY_BYTES + 1, 10**30])
def test_a_large_content_length_is_rejected_before_the_body(app: Middleware, n_bytes: int) -> None:
    chunks = iter([b"x"])
    status, _ = exchange(app, "POST", "/api/predict", {"content-length": str(n_bytes)}, chunks)
    assert status == 413
    assert list(chunks) == [b"x"]


@pytest.mark.parametrize("content_type", ["image/png", "application/json", "multipart/form-data; boundary=b"])
def test_a_chunked_body_is_taken_to_the_limit_and_no_further(app: Middleware, content_type: str) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="i"; filename="i"\r\n\r\n'
    n_taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal n_taken
        for chunk in [start] + [bytes(CHUNK_BYTES)] * (4 * MAX_BODY_BYTES // CHUNK_BYTES):
            n_taken += len(chunk)
            yield chunk

    status, answer = exchange(app, "POST", "/api/predict", {"content-type": content_type}, chunks())
    assert status == 413
    assert list(json.loads(answer)) == ["error"]
    assert MAX_BODY_BYTES < n_taken <= MAX_BODY_BYTES + CHUNK_BYTES


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "cache"),
    [
        ("GET", "/", {}, b"", 200, "no-cache"),
        ("GET", "/js/app.js", {}, b"", 200, "no-cache"),
        ("GET", "/api/model", {}, b"", 200, "no-store"),
        ("GET", "/v2/health/ready", {}, b"", 200, "no-store"),
        ("GET", "/nothing", {}, b"", 404, "no-cache"),
        ("PUT", "/api/predict", {}, b"", 405, "no-store"),
        ("POST", "/", {}, b"", 405, "no-cache"),
        ("POST", "/api/predict", {}, bytes(MAX_BODY_BYTES + 1), 413, "no-store"),
        ("POST", "/api/predict", {}, bytes(MAX_BODY_BYTES), 415, "no-store"),
        ("GET", "/api/model", {"host": "elsewhere.example"}, b"", 421, "no-store"),
        ("POST", "/v2/models/digits/infer", {}, b"{", 400, "no-store"),
        ("POST", "/v2/repository/models/digits/load", {"origin": "https://a.example"}, b"", 403, "no-store"),
        ("POST", "/api/predict?width=1&height=1", {"content-type": "application/octet-stream"}, b"1", 500, "no-store"),
    ],
)
def test_every_answer_has_the_headers_and_every_error_one_shape(
    app: Middleware,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    headers: Any,
    body: bytes,
    status: int,
    cache: str,
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Predictor, "run", fail)
    client = TestClient(app, raise_server_exceptions=False, client=LOOPBACK)
    response = client.request(method, path, headers=headers, content=body)
    assert response.status_code == status
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == cache
    assert {name.decode() for name, _ in SECURITY_HEADERS} <= set(response.headers)
    if status != 200:
        refused(response, status, str(MAX_BODY_BYTES) if status == 413 else "")
        assert "broken" not in response.text
        assert response.headers["content-type"] == "application/json"
        assert re.fullmatch(r"(decode;dur=\d+\.\d+, )?total;dur=\d+\.\d+", response.headers["server-timing"])


def test_only_the_worker_of_the_page_may_run_webassembly(settings: Settings) -> None:
    client = TestClient(create_app(replace(settings, web=ROOT / "web")), client=LOOPBACK)
    for path in ("/", "/js/app.js", "/js/local/reader.js", "/js/local/worker.js"):
        (policy,) = client.get(path).headers.get_list("content-security-policy")
        assert ("'wasm-unsafe-eval'" in policy) == (path == "/js/local/worker.js")
        assert policy.replace(" 'wasm-unsafe-eval'", "") == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/v2", "/v2/health/live", "/v2/models/digits", "/api/model", "/metrics", "/docs")),
        ("POST", "/api/predict"),
        ("POST", "/v2/models/digits/infer"),
        ("POST", "/v2/repository/models/letters/load"),
    ],
)
def test_a_slash_at_the_end_changes_nothing(client: TestClient, method: str, path: str) -> None:
    for used in (method, "PUT"):
        options = {"follow_redirects": path == "/docs"}
        without, with_slash = (client.request(used, address, **options) for address in (path, f"{path}/"))
        assert with_slash.status_code == without.status_code
        assert with_slash.headers.get("content-type") == without.headers.get("content-type")


def test_no_error_repeats_the_input(app: Middleware) -> None:
    secret = "s3cret"
    client = TestClient(app, client=LOOPBACK)
    for response in (
        client.get(f"/{secret}", headers={"host": secret}),
        client.get(f"/{secret}?{secret}", headers={"x-secret": secret}),
        client.request(secret.upper(), "/api/predict"),
        client.post(f"/api/predict?width={secret}", content=secret, headers={"content-type": secret}),
        client.post("/api/predict", content=f'{{"image": "{secret}?"}}', headers={"content-type": "application/json"}),
        client.post(
            "/v2/models/digits/infer", content=f'{{"{secret}": "{secret}"}}', headers={"content-encoding": secret}
        ),
    ):
        assert response.status_code >= 400
        assert secret not in response.text.lower()


def test_a_line_for_each_request_if_asked_for(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(replace(settings, log_requests=True))
    forged = '/x\n{"event": "forged"}\r\u2028\x85\x1b[31m'
    with caplog.at_level(logging.INFO, "serving.access"):
        TestClient(app).post("/api/predict?secret=1", content=encode(draw(7), "PNG"), headers={"x": "secret"})
        exchange(app, "GET", quote(forged))
    lines = [JSONFormatter().format(record) for record in caplog.records if record.name == "serving.access"]
    assert all(len(line.splitlines()) == 1 and line.isascii() for line in lines)
    first, second = map(json.loads, lines)
    assert (first["method"], first["path"], first["status"]) == ("POST", "/api/predict", 200)
    times = {"decode_ms", "queue_ms", "infer_ms", "encode_ms", "total_ms"}
    known = {"time", "level", "event", "process", "client", "method", "path", "status", "model_version"}
    assert set(first) == known | times
    assert all(first[name] >= 0 for name in times)
    assert "secret" not in lines[0]
    assert (second["event"], second["path"], second["status"]) == ("request", forged, 404)


@pytest.mark.parametrize("path", ["/v2/models/digits/infer", "/nothing", "/"])
def test_ids_are_repeated_and_logged(settings: Settings, caplog: pytest.LogCaptureFixture, path: str) -> None:
    app = create_app(replace(settings, log_requests=True))
    ids = {"x-request-id": "0b3f/a:1+2=", "traceparent": TRACE}
    pixels = {"name": "image", "shape": [1, 28, 28], "datatype": "UINT8", "data": [0] * 784}
    with caplog.at_level(logging.INFO, "serving.access"):
        answer = TestClient(app).post(path, json={"id": "mine\n" + 200 * "x", "inputs": [pixels]}, headers=ids)
    assert ids.items() <= answer.headers.items()
    fields = json.loads(JSONFormatter().format(caplog.records[0]))
    assert ids.items() <= fields.items()
    assert fields["client"] == "testclient"
    if answer.status_code == 200:
        assert fields["v2_id"] == "mine\n" + 123 * "x"
        assert fields["model_version"] == answer.json()["model_version"]


@pytest.mark.parametrize(
    "value", ["", "a b", "a\nx: y", "a\r\nx: y", "a\n", "<b>", "\x1b[31m", "\xe9", '"', "\\", 129 * "a"], ids=ascii
)
def test_other_ids_are_not_repeated(value: str) -> None:
    for name in (b"x-request-id", b"traceparent"):
        assert not ids_of({"headers": [(name, value.encode("latin-1"))]})
