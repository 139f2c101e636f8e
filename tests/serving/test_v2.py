"""Health."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings


@pytest.fixture(scope="module")
def stopped(settings: Settings) -> Starlette:
    """An application of its own, not started."""
    return create_app(settings)


@pytest.mark.parametrize("probe", ["live", "ready"])
def test_a_started_service_is_live_and_ready(client: TestClient, probe: str) -> None:
    response = client.get(f"/v2/health/{probe}")
    assert (response.status_code, response.content) == (200, b"")


def test_readiness_follows_start_and_stop(stopped: Starlette) -> None:
    outside = TestClient(stopped)
    assert outside.get("/v2/health/live").status_code == 200
    assert outside.get("/v2/health/ready").status_code == 503
    with TestClient(stopped) as started:
        assert started.get("/v2/health/ready").status_code == 200
    assert outside.get("/v2/health/ready").status_code == 503
