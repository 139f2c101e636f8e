"""Access rules: hosts, machines and origins."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import MAX_KNOWN_HOSTS, Middleware
from serving.settings import Settings
from tests.serving.asgi import exchange, refused
from tests.serving.conftest import LOOPBACK, MAX_BODY_BYTES

OTHERS = ["elsewhere.example", "127.0.0.1.example", "localhost.example", "a b", "[", "2130706433", "caf\u00e9"]
OURS = ["127.0.0.1", "192.168.1.7:80", "[::1]", "[::1]:8000", "LocalHost:1", "TESTSERVER:80"]


def test_only_addresses_and_allowed_names_are_hosts(client: TestClient, app: Middleware, settings: Settings) -> None:
    for host in OTHERS:
        for path in ("/", "/api/model", "/v2/health/live", "/metrics"):
            response = client.get(path, headers=[(b"host", host.encode("latin-1"))])
            refused(response, 421, "--allowed-hosts")
            assert host not in response.text
    for host in OURS * 2:  # the second time from the memory
        assert client.get("/v2/health/live", headers={"host": host}).status_code == 200
    assert exchange(app, "GET", "/v2/health/live")[0] == 200  # without a host
    for_all = TestClient(create_app(replace(settings, allowed_hosts=("*",))))
    assert for_all.get("/api/model", headers={"host": OTHERS[0]}).status_code == 200


def test_the_known_hosts_do_not_grow_without_end(app: Middleware) -> None:
    for port in range(MAX_KNOWN_HOSTS + 10):
        app._check_host(b"localhost:%d" % port)
    assert len(app._known_hosts) == MAX_KNOWN_HOSTS


TOKEN = "a-token"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def managed(settings: Settings) -> Middleware:
    return create_app(replace(settings, management_token=TOKEN))


def check_rights(app: Middleware, address: str, headers: dict[str, str], is_allowed: bool) -> None:
    """Ask for a model that does not exist: the answer is 404 if the client may manage models."""
    client = TestClient(app, client=(address, 50_000))
    for action in ("load", "unload"):
        response = client.post(f"/v2/repository/models/letters/{action}", headers=headers)
        refused(response, 404 if is_allowed else 403)
        assert TOKEN not in response.text


@pytest.mark.parametrize(
    ("address", "headers", "is_allowed"),
    [
        *((address, {}, True) for address in ("127.0.0.1", "127.8.8.8", "::1")),
        *((address, {}, False) for address in ("192.168.1.7", "::2", "testclient")),
        *(
            ("127.0.0.1", {name: "127.0.0.1"}, False)
            for name in ("x-forwarded-for", "x-forwarded-proto", "x-real-ip", "cf-connecting-ip", "via", "forwarded")
        ),
        ("127.0.0.1", {"origin": "http://127.0.0.1:8000"}, False),
        ("127.0.0.1", {"origin": "null"}, False),
        ("127.0.0.1", {"authorization": BEARER}, True),
        *(("192.168.1.7", {"authorization": text}, False) for text in (BEARER, "Bearer ", "Bearer", "")),
    ],
)
def test_without_a_token_only_this_machine_manages_models(
    app: Middleware, address: str, headers: dict[str, str], is_allowed: bool
) -> None:
    check_rights(app, address, headers, is_allowed)


@pytest.mark.parametrize(
    ("address", "headers", "is_allowed"),
    [
        ("127.0.0.1", {"authorization": BEARER}, True),
        ("192.168.1.7", {"authorization": BEARER, "x-forwarded-for": "10.0.0.1", "origin": "https://a.example"}, True),
        *(
            ("192.168.1.7", {"authorization": text}, False)
            for text in (BEARER + "x", BEARER[:-1], "Bearer ", TOKEN, "Bearer wrong")
        ),
        ("127.0.0.1", {}, False),
    ],
)
def test_a_token_is_needed_from_everywhere(
    managed: Middleware, address: str, headers: dict[str, str], is_allowed: bool
) -> None:
    check_rights(managed, address, headers, is_allowed)


def test_the_token_is_needed_only_to_manage_models(app: Middleware) -> None:
    outside = TestClient(app, client=("192.168.1.7", 50_000))
    refused(outside.post("/v2/repository/models/digits/unload"), 403, "--management-token")
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
