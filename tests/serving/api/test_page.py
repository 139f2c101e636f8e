"""The page's files: types, caching and compression."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import Middleware
from serving.settings import Settings

GZIP = {"accept-encoding": "gzip, deflate, br"}
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture(scope="module")
def site(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Middleware:
    return create_app(replace(settings, web=tmp_path_factory.mktemp("web")))


@pytest.fixture
def folder(site: Middleware) -> Path:
    folder = site.settings.web
    for name in ("index.html", "docs.html", "a.css", "a.js", "a.webmanifest", "a.svg", "a.png"):
        (folder / name).write_text(f"{name} " * 100)
    return folder


@pytest.fixture
def visitor(site: Middleware, folder: Path) -> TestClient:
    return TestClient(site)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/a.css", "text/css"),
        ("/a.js", "text/javascript"),
        ("/a.webmanifest", "application/manifest+json"),
        ("/a.svg", "image/svg+xml"),
    ],
)
def test_text_is_compressed_for_clients_that_support_it(visitor: TestClient, path: str, content_type: str) -> None:
    plain, packed = (visitor.get(path, headers=headers) for headers in (PLAIN, GZIP))
    assert plain.content == packed.content != b""
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) == len(plain.content)
    for name in ("etag", "last-modified", "vary", "cache-control", "content-type"):
        assert plain.headers[name] == packed.headers[name]
    assert plain.headers["content-type"].startswith(content_type)
    assert plain.headers["vary"] == "accept-encoding"
    assert plain.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/a.js", "/a.png"])
@pytest.mark.parametrize("coding", [GZIP, PLAIN])
def test_no_file_claims_to_come_in_parts(visitor: TestClient, path: str, coding: dict[str, str]) -> None:
    response = visitor.get(path, headers={**coding, "range": "bytes=0-1"})
    assert response.status_code == 200
    assert "accept-ranges" not in response.headers


def test_head_has_the_length_of_get(visitor: TestClient) -> None:
    for headers in (PLAIN, GZIP):
        head, whole = visitor.head("/a.js", headers=headers), visitor.get("/a.js", headers=headers)
        assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize("headers", [PLAIN, GZIP])
@pytest.mark.parametrize("path", ["/", "/docs", "/a.js", "/a.png"])
def test_only_a_changed_file_is_sent_again(
    visitor: TestClient, folder: Path, path: str, headers: dict[str, str]
) -> None:
    first = visitor.get(path, headers=headers)
    headers = headers | {"if-none-match": first.headers["etag"]}
    again = visitor.get(path, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers.get("vary") == first.headers.get("vary")
    for file in folder.iterdir():
        file.write_text("new")
        os.utime(file, (1, 1))
    after = visitor.get(path, headers=headers)
    assert (after.status_code, after.text) == (200, "new")
