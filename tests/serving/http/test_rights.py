"""Access rules: hosts, machines and origins."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import Middleware
from serving.settings import Settings
from tests.serving.asgi import exchange, refused
from tests.serving.conftest import LOOPBACK, MAX_BODY_BYTES

# Names that DNS may resolve to this service, and Host headers that are none.
OTHERS = [
    "elsewhere.example",
    "127.0.0.1.example",
    "localhost.example",
    "xlocalhost",
    "2130706433",
    "testserver.example",
]
MALFORMED = [
    "a b",
    "[",
    "[::1].example",
    "[::1]8000",
    "127.0.0.1:80@x",
    "localhost:80:80",
    "localhost:x",
    "caf\u00e9",
    "a/b",
]
OURS = [
    "127.0.0.1",
    "192.168.1.7:80",
    "[::1]",
    "[::1]:8000",
    "LocalHost:1",
    "localhost.",
    "x.localhost:80",
    "TESTSERVER:80",
]
MONITORING = ["/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready", "/metrics"]


def test_only_addresses_and_allowed_names_are_hosts(client: TestClient, app: Middleware) -> None:
    for host in OTHERS:
        for path in ("/", "/api/model", "/v2", "/v2/models/digits"):
            response = client.get(path, headers={"host": host})
            refused(response, 421, "--allowed-hosts")
            assert host not in response.text
    for host in OURS:
        assert client.get("/v2", headers={"host": host}).status_code == 200
    assert exchange(app, "GET", "/v2")[0] == 200  # without a host, as in HTTP/1.0


def test_a_host_is_one_and_well_formed(client: TestClient) -> None:
    for host in MALFORMED:
        refused(client.get("/v2", headers=[(b"host", host.encode("latin-1"))]), 400, "Host")
    refused(client.get("/v2", headers=[(b"host", b"localhost"), (b"host", b"localhost")]), 400, "Host")


def test_monitoring_asks_by_any_host(client: TestClient) -> None:
    for path in MONITORING:
        assert client.get(path, headers={"host": "the_container:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("allowed", "statuses"),
    [
        ("*", {"elsewhere.example": 200}),
        (
            "*.example.org",
            {"a.example.org": 200, "a.b.Example.org.:80": 200, "example.org": 421, "aexample.org": 421},
        ),
    ],
)
def test_allowed_hosts(settings: Settings, allowed: str, statuses: dict[str, int]) -> None:
    client = TestClient(create_app(replace(settings, allowed_hosts=(allowed,))))
    assert {host: client.get("/v2", headers={"host": host}).status_code for host in statuses} == statuses


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
        *((address, {}, True) for address in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")),
        *((address, {}, False) for address in ("192.168.1.7", "::2", "::ffff:192.168.1.7", "testclient")),
        *(("127.0.0.1", {"origin": origin}, False) for origin in ("http://127.0.0.1:8000", "null")),
        ("127.0.0.1", {"authorization": BEARER}, True),
        *(("192.168.1.7", {"authorization": text}, False) for text in (BEARER, "Bearer ", "Bearer", "")),
    ],
)
def test_local_management_is_for_programs_on_this_machine(
    app: Middleware, address: str, headers: dict[str, str], is_allowed: bool
) -> None:
    check_rights(app, address, headers, is_allowed)


def test_models_are_not_managed_by_default(settings: Settings) -> None:
    app = create_app(replace(settings, local_management=False))
    check_rights(app, "127.0.0.1", {}, is_allowed=False)
    check_rights(app, "127.0.0.1", {"authorization": BEARER}, is_allowed=False)


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
    preflight = client.options("/api/predict", headers=PREFLIGHT | {"access-control-request-private-network": "true"})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-private-network"] == "true"
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
