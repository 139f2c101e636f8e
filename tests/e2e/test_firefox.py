"""The page in Firefox."""

from pathlib import Path

import pytest

from bench.browser import BROWSER
from tests.contract.local import compare, drawings
from tests.e2e.firefox import expect_read, expect_text, firefox
from tests.e2e.service import service_answers, site

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("resists", [False, True])
def test_the_served_page_reads(service: str, resists: bool) -> None:
    with firefox(**{"privacy.resistFingerprinting": resists}) as run:
        run("open", service)
        for digit in (2, 4, 7):
            expect_read(run, digit)
        expect_text(run, "#latency-total", "The service answered")


def test_a_static_host_serves_a_page_that_reads_as_the_service_does(tmp_path: Path) -> None:
    with site(tmp_path) as url, firefox() as run:
        run("open", url)
        expect_read(run, 3)
        expect_text(run, "#latency-total", "This browser answered")
        asked = drawings(1000)
        compare(run("ask", BROWSER, asked), service_answers(tmp_path, asked))
