"""Whatever is sent to the protocol's addresses, the answer is the contract's or a refusal in its one shape."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
DATA = [0, 1, 2, 3]
DOCUMENT: dict[str, Any] = {
    "id": "1",
    "parameters": {"timeout": 60_000_000, "binary_data_output": True},
    "inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 2, 2], "parameters": {}, "data": DATA}],
    "outputs": [{"name": "probabilities", "parameters": {"binary_data": True, "classification": 1}}, {"name": "box"}],
}
BINARY = json.loads(json.dumps(DOCUMENT))
del BINARY["inputs"][0]["data"]
BINARY["inputs"][0]["parameters"]["binary_data_size"] = len(DATA)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document, with each of its keys."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@st.composite
def mutated(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """A good document, up to three of its places taken away or filled with something else."""
    changed = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(places(changed) or [({"": 0}, "")]))
        if draw(st.booleans()):
            holder[key] = draw(JUNK)
        else:
            del holder[key]
    return json.dumps(changed).encode()


JSON = mutated(DOCUMENT) | mutated(BINARY)
BLOBS = st.just(bytes(DATA)) | st.binary(max_size=8)
HEADERS = st.none() | st.integers(-2, 600).map(str) | st.text(st.characters(min_codepoint=33, max_codepoint=126))
CODINGS = st.sampled_from(["", "", "", "gzip", "deflate", "br", "identity"])


def checked(client: TestClient, body: bytes, header: str | None, coding: str, accept: str) -> int:
    headers = {"accept-encoding": accept} | ({"content-encoding": coding} if coding else {})
    if header is not None:
        headers["inference-header-content-length"] = header
    response = client.post("/v2/models/digits/infer", content=body, headers=headers)
    if response.status_code == 200:
        n_json = int(response.headers.get("inference-header-content-length", len(response.content)))
        document = json.loads(response.content[:n_json])
        sizes = [output.get("parameters", {}).get("binary_data_size", 0) for output in document["outputs"]]
        assert n_json + sum(sizes) == len(response.content)
    else:
        assert response.status_code in (400, 413, 415, 503), response.text
        assert list(response.json()) == ["error"]
        # A time-out that is too short is the only reason to answer 503.
        assert response.status_code != 503 or "timeout" in response.text
    return int(response.status_code)


@settings(max_examples=400, deadline=None)
@given(body=st.binary(max_size=200), header=HEADERS, coding=CODINGS, accept=CODINGS)
@example(body=b"\x00", header="0", coding="", accept="")
def test_any_bytes(client: TestClient, body: bytes, header: str | None, coding: str, accept: str) -> None:
    checked(client, body, header, coding, accept)


@settings(max_examples=600, deadline=None)
@given(document=JSON, blob=BLOBS, n_cut=st.integers(0, 40) | st.just(0), shift=st.just(0) | st.integers(-9, 9))
def test_documents_that_are_almost_good(
    client: TestClient, document: bytes, blob: bytes, n_cut: int, shift: int
) -> None:
    body = document + blob
    checked(client, body[: len(body) - n_cut], str(len(document) + shift), "", "gzip")


def test_the_starting_points_are_good(client: TestClient) -> None:
    assert checked(client, json.dumps(DOCUMENT).encode(), None, "", "") == 200
    text = json.dumps(BINARY).encode()
    assert checked(client, text + bytes(DATA), str(len(text)), "", "") == 200
