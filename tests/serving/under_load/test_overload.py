"""Under overload some requests are rejected at once; probes and clients below the limit are answered."""

import re
import time
from pathlib import Path

import pytest
from serving.http.admission import N_SHORT

from .client import METRICS, NORMAL, READY, asking
from .process import running

pytestmark = pytest.mark.slow


def test_clients_below_the_limit_are_never_rejected(tmp_path: Path) -> None:
    with running(tmp_path) as service, asking(service.address, NORMAL, n_clients=N_SHORT) as tally:
        time.sleep(1)
    assert set(tally.statuses) == {200}
    assert tally.lost == []


def test_under_overload_rejections_have_retry_after_and_probes_are_answered(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--max-waiting", "1") as service,
        asking(service.address, READY, METRICS, n_clients=1) as probes,
        asking(service.address, NORMAL, n_clients=8) as tally,
    ):
        time.sleep(0.5)
    rejected = [answer for answer in tally.answers if answer.status == 503]
    assert set(tally.statuses) == {200, 503}
    assert {answer.headers["retry-after"] for answer in rejected} == {"1"}
    assert all(re.fullmatch(r"total;dur=\d+\.\d+", answer.headers["server-timing"]) for answer in rejected)
    assert len({answer.body for answer in rejected}) == 1
    assert set(probes.statuses) == {200}
    assert tally.lost == probes.lost == []
