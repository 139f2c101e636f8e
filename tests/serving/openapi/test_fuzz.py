"""Whatever is sent, the answer is the contract's or a refusal in its one shape."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.settings import ROOT
from tests.serving.asgi import exchange
from tests.serving.drawings import draw, encode

TYPES = [
    "",
    "image/png",
    "application/json",
    "application/octet-stream",
    "multipart/form-data; boundary=b",
    "text/plain",
]
PNG = encode(draw(7).resize((8, 8)), "PNG")

JSON_BODIES = st.dictionaries(
    st.sampled_from(["image", "x"]), st.none() | st.text() | st.integers() | st.lists(st.text())
)
FORM_BODIES = st.builds(
    lambda name, data: (
        b'--b\r\nContent-Disposition: form-data; name="i"; ' + name + b"\r\n\r\n" + data + b"\r\n--b--\r\n"
    ),
    st.sampled_from([b"filename=x", b'filename="x.png"', b"x"]),
    st.binary() | st.just(PNG),
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    JSON_BODIES.map(lambda body: repr(body).replace("'", '"').encode("utf-8", "replace")),
    FORM_BODIES,
    st.builds(lambda at, junk: PNG[:at] + junk, st.integers(0, len(PNG)), st.binary(max_size=40)),
)
LATIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
# Parts of addresses: those there are, those that try to leave the folder, and anything.
PARTS = st.sampled_from(
    ["", "api", "model", "predict", "network", "drawings", "v2", "health", "live", "index.html", "js", "app.js"]
)
ESCAPES = st.sampled_from(
    ["..", ".", "%2e%2e", "%2E.", "..%2f..", "..%5c", "..\\", "%00", "%ff", "%252e%252e", "secret.txt", "web", "etc"]
)
TARGETS = st.lists(PARTS | ESCAPES | st.text(max_size=20).map(lambda text: quote(text, safe="")), max_size=8).map(
    lambda parts: "/" + "/".join(parts)
)
QUERIES = st.dictionaries(st.sampled_from(["width", "height"]), st.integers(-1, 20).map(str) | st.text(max_size=5))


# As in test_api: the temporary file of a form that breaks off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=300, deadline=None)
@given(body=BODIES, content_type=st.sampled_from(TYPES) | LATIN, query=QUERIES)
def test_never_a_server_error(client: TestClient, body: bytes, content_type: str, query: dict[str, str]) -> None:
    headers = {"content-type": content_type}
    response = client.post("/api/predict", params=query, content=body, headers=headers)
    document = response.json()
    if response.status_code == 200:
        assert document["state"] in ("digit", "unsure", "not_a_digit", "blank")
    else:
        assert response.status_code in (400, 413, 415, 422)
        assert list(document) == ["error"]
        assert isinstance(document["error"], str)


@settings(max_examples=500, deadline=None)
@given(target=TARGETS, method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]))
@example(target="/../secret.txt", method="GET")
@example(target="/js/%2e%2e/%2e%2e/secret.txt", method="GET")
@example(target="/..%5csecret.txt", method="GET")
@example(target="/index.html%00.txt", method="GET")
@example(target="//etc/passwd", method="GET")
@example(target="/" + quote(str(ROOT / "README.md")), method="GET")
def test_any_address_and_method(client: TestClient, web: Path, target: str, method: str) -> None:
    status, answer = exchange(client.app, method, target)
    if status == 200:
        public = [file.read_bytes() for file in web.rglob("*.*")]
        assert answer in [*public, client.get("/api/model").content, client.get("/v2").content, b""]
    elif status == 307:  # a way of writing / without its slash at the end, such as /js/..
        assert answer == b""
    else:
        assert 400 <= status < 500
        assert list(json.loads(answer)) == ["error"]
