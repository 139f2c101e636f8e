"""The body limit and the headers."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from serving.shell import CONTENT_SECURITY_POLICY, Shell

from .asgi import exchange
from .conftest import MAX_BODY_BYTES

CHUNK_BYTES = 2**16


def test_a_body_above_the_limit_is_refused(client: TestClient) -> None:
    response = client.post("/api/predict", content=bytes(MAX_BODY_BYTES + 1))
    assert response.status_code == 413
    assert str(MAX_BODY_BYTES) in response.json()["error"]


@pytest.mark.parametrize("n_bytes", [MAX_BODY_BYTES + 1, 10**30])
def test_an_announced_body_is_refused_before_it_is_sent(app: Shell, n_bytes: int) -> None:
    chunks = iter([b"x"])
    status, _ = exchange(app, "POST", "/api/predict", {"content-length": str(n_bytes)}, chunks)
    assert status == 413
    assert list(chunks) == [b"x"]


@pytest.mark.parametrize("content_type", ["image/png", "application/json", "multipart/form-data; boundary=b"])
def test_a_chunked_body_is_taken_to_the_limit_and_no_further(app: Shell, content_type: str) -> None:
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


def test_a_body_at_the_limit_is_read(client: TestClient) -> None:
    assert client.post("/api/predict", content=bytes(MAX_BODY_BYTES)).status_code == 415


@pytest.mark.parametrize("content_length", ["", "x", "-1", "²"])
def test_a_strange_content_length_is_left_to_the_count(client: TestClient, content_length: str) -> None:
    headers = [(b"content-length", content_length.encode("latin-1"))]
    assert client.post("/api/predict", content=iter([b"x"]), headers=headers).status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "cache"),
    [
        ("GET", "/", "no-cache"),
        ("GET", "/js/app.js", "no-cache"),
        ("GET", "/nothing", "no-cache"),
        ("GET", "/api/model", "no-store"),
        ("GET", "/api/predict", "no-store"),
        ("POST", "/api/predict", "no-store"),
        ("GET", "/v2/health/ready", "no-store"),
    ],
)
def test_every_answer_has_the_headers(client: TestClient, method: str, path: str, cache: str) -> None:
    headers = client.request(method, path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == cache


def test_the_policy_allows_nothing_inline() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
