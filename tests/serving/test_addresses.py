"""Any address and method returns a public file or an error in the common format."""

import json
from pathlib import Path
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.settings import ROOT
from tests.serving.asgi import exchange

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


@settings(max_examples=150, deadline=None)
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
