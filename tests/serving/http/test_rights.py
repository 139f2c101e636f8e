"""Access rules: hosts, machines and origins."""

from dataclasses import replace

import httpx2
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import MAX_KNOWN_HOSTS, Middleware
from serving.settings import Settings
from tests.serving.asgi import exchange, refused
from tests.serving.conftest import LOOPBACK, MAX_BODY_BYTES


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.example", "localhost.example", "a b", "[", "2130706433", "caf\u00e9"]
)
def test_another_host_is_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/api/model", "/v2/health/live", "/metrics"):
        response = client.get(path, headers=[(b"host", host.encode("latin-1"))])
        refused(response, 421, "--allowed-hosts")
        assert host not in response.text


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "192.168.1.7:80",
        "[::1]",
        "[::1]:8000",
        "localhost",
        "LocalHost:1",
        "testserver",
        "TESTSERVER:80",
    ],
)
def test_an_address_and_an_allowed_name_are_ours(client: TestClient, host: str) -> None:
    for _ in range(2):  # the second time it is known
        assert client.get("/v2/health/live", headers={"host": host}).status_code == 200


def test_a_request_without_a_host_is_answered(app: Middleware) -> None:
    assert exchange(app, "GET", "/v2/health/live")[0] == 200


def test_any_host_may_be_allowed(settings: Settings) -> None:
    client = TestClient(create_app(replace(settings, allowed_hosts=("*",))))
    assert client.get("/api/model", headers={"host": "elsewhere.example"}).status_code == 200


def test_the_known_hosts_do_not_grow_without_end(app: Middleware) -> None:
    for port in range(MAX_KNOWN_HOSTS + 10):
        app._check_host(b"localhost:%d" % port)
    assert len(app._known_hosts) == MAX_KNOWN_HOSTS


TOKEN = "a-token"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def managed(settings: Settings) -> Middleware:
    """An application that a token's holders may manage."""
    return create_app(replace(settings, management_token=TOKEN))


def managing(app: Middleware, action: str, address: str, headers: dict[str, str]) -> httpx2.Response:
    """The answer to what asks for another model: it is not done even where it is allowed."""
    client = TestClient(app, client=(address, 50_000))
    return client.post(f"/v2/repository/models/letters/{action}", headers=headers)


@pytest.mark.parametrize(
    ("address", "headers", "is_allowed"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.8.8", {}, True),
        ("::1", {}, True),
        ("192.168.1.7", {}, False),
        ("::2", {}, False),
        ("testclient", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, False),
        ("127.0.0.1", {"cf-connecting-ip": "127.0.0.1"}, False),
        ("127.0.0.1", {"via": "1.1 a"}, False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", {"origin": "http://127.0.0.1:8000"}, False),
        ("127.0.0.1", {"origin": "null"}, False),
        ("127.0.0.1", {"authorization": BEARER}, True),
        ("192.168.1.7", {"authorization": BEARER}, False),
    ],
)
@pytest.mark.parametrize("action", ["load", "unload"])
def test_without_a_token_only_this_machine_manages_models(
    app: Middleware, action: str, address: str, headers: dict[str, str], is_allowed: bool
) -> None:
    refused(managing(app, action, address, headers), 404 if is_allowed else 403)


@pytest.mark.parametrize(
    ("address", "headers", "is_allowed"),
    [
        ("192.168.1.7", {"authorization": BEARER}, True),
        ("192.168.1.7", {"authorization": BEARER, "x-forwarded-for": "10.0.0.1", "origin": "https://a.example"}, True),
        ("192.168.1.7", {"authorization": BEARER + "x"}, False),
        ("192.168.1.7", {"authorization": BEARER[:-1]}, False),
        ("192.168.1.7", {"authorization": "Bearer "}, False),
        ("192.168.1.7", {"authorization": TOKEN}, False),
        ("127.0.0.1", {"authorization": BEARER}, True),
        ("127.0.0.1", {"authorization": "Bearer wrong"}, False),
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
    ],
)
@pytest.mark.parametrize("action", ["load", "unload"])
def test_a_token_is_needed_from_everywhere(
    managed: Middleware, action: str, address: str, headers: dict[str, str], is_allowed: bool
) -> None:
    response = managing(managed, action, address, headers)
    refused(response, 404 if is_allowed else 403)
    assert TOKEN not in response.text


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", ""])
def test_without_a_token_in_the_settings_any_token_is_wrong(app: Middleware, authorization: str) -> None:
    outside = TestClient(app, client=("192.168.1.7", 50_000))
    headers = {"authorization": authorization}
    refused(outside.post("/v2/repository/models/digits/unload", headers=headers), 403, "--management-token")
    assert outside.post("/v2/repository/index").status_code == 200
    assert outside.get("/v2/health/ready").status_code == 200


ORIGIN = "https://a.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type",
}


def test_other_origins_are_rejected_by_default(client: TestClient) -> None:
    answers = [client.get("/api/model", headers={"origin": ORIGIN}), client.options("/api/predict", headers=PREFLIGHT)]
    assert answers[1].status_code == 405
    for answer in answers:
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("allowed", [(ORIGIN,), ("*",)])
def test_a_configured_origin_is_accepted(settings: Settings, allowed: tuple[str, ...]) -> None:
    client = TestClient(create_app(replace(settings, cors_origins=allowed)), client=LOOPBACK)
    preflight = client.options("/api/predict", headers=PREFLIGHT)
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = client.post("/api/predict", content=b"", headers={"origin": ORIGIN})
    assert answer.status_code == 400
    for response in (preflight, answer):
        assert response.headers["access-control-allow-origin"] in (ORIGIN, "*")
        assert "access-control-allow-credentials" not in response.headers
    other = client.get("/api/model", headers={"origin": "https://b.example"})
    assert (other.headers.get("access-control-allow-origin") == "*") == (allowed == ("*",))
    managing = client.post("/v2/repository/models/digits/load", headers={"origin": ORIGIN})
    assert managing.status_code == 403


def test_a_refusal_of_any_layer_is_for_the_origin_too(settings: Settings) -> None:
    app = create_app(replace(settings, cors_origins=(ORIGIN,)))
    app.engine.predictor = None
    client = TestClient(app)
    headers = {"origin": ORIGIN}
    for response, status in (
        (client.post("/api/predict", content=bytes(MAX_BODY_BYTES + 1), headers=headers), 413),
        (client.get("/", headers=headers | {"host": "elsewhere.example"}), 421),
        (client.get("/api/model", headers=headers), 503),
        (client.post("/v2/repository/models/digits/load", headers=headers), 403),
    ):
        refused(response, status)
        assert response.headers["access-control-allow-origin"] == ORIGIN
        exposed = set(response.headers["access-control-expose-headers"].split(", "))
        assert exposed == {"Server-Timing", "Inference-Header-Content-Length", "Retry-After"}


def test_a_page_that_has_the_token_may_manage(settings: Settings) -> None:
    client = TestClient(create_app(replace(settings, cors_origins=(ORIGIN,), management_token=TOKEN)))
    asked = PREFLIGHT | {"access-control-request-headers": "authorization"}
    preflight = client.options("/v2/repository/models/letters/load", headers=asked)
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    headers = {"origin": ORIGIN, "authorization": BEARER}
    refused(client.post("/v2/repository/models/letters/load", headers=headers), 404)
