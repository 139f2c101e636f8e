"""Requests are rejected only if they would wait too long. Probes are always answered."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest
from tritonclient.http.aio import InferenceServerClient

from tests.serving.v2.test_client import image

from .client import METRICS, NORMAL, READY, asking
from .process import running

pytestmark = pytest.mark.slow


def test_a_user_beside_many_connections_is_not_rejected(tmp_path: Path) -> None:
    with (
        running(tmp_path) as service,
        asking(service.address, NORMAL, n_clients=256) as many,
        asking(service.address, NORMAL, n_clients=1) as user,
    ):
        time.sleep(5)
    assert set(many.statuses) == set(user.statuses) == {200}
    assert many.lost == user.lost == []


def test_the_aio_client_of_triton_is_answered_however_many_requests_it_gathers(tmp_path: Path) -> None:
    async def ask_all(host: str) -> list[Any]:
        async with InferenceServerClient(host) as client:
            return await asyncio.gather(*(client.infer("digits", image()) for _ in range(2_000)))

    with running(tmp_path) as service:
        assert len(asyncio.run(ask_all(service.host))) == 2_000


def test_under_overload_rejections_have_retry_after_and_probes_are_answered(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--max-wait-s", "0") as service,
        asking(service.address, READY, METRICS, n_clients=1) as probes,
        asking(service.address, NORMAL, n_clients=64) as tally,
    ):
        time.sleep(2)
    rejected = [answer for answer in tally.answers if answer.status == 503]
    assert set(tally.statuses) == {200, 503}
    assert {answer.headers["retry-after"] for answer in rejected} == {"1"}
    assert all(re.fullmatch(r"total;dur=\d+\.\d+", answer.headers["server-timing"]) for answer in rejected)
    assert len({answer.body for answer in rejected}) == 1
    assert set(probes.statuses) == {200}
    assert tally.lost == probes.lost == []
