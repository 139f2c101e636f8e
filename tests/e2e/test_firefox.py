"""The page in Firefox, driven over WebDriver BiDi."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.local import compare, drawings
from tests.e2e.digits import DIGITS, NAMES
from tests.e2e.service import page_with_runtime, running, service_answers, site
from tests.needs import missing
from tests.web.node import ENVIRONMENT, package

pytestmark = pytest.mark.slow

PATIENCE_S = 60
# The browser's own pages and requests to its vendor would only delay the tests.
PREFERENCES = {"browser.shell.checkDefaultBrowser": False, "app.update.auto": False}

Step = Callable[..., Any]


@contextmanager
def firefox(**preferences: bool) -> Iterator[Step]:
    """Start Firefox, and yield a function that runs a step of firefox.mjs."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        missing("No Firefox: install firefox-esr or firefox.")
    package("puppeteer-core/package.json")
    command = ["node", Path(__file__).with_name("firefox.mjs"), path, json.dumps(PREFERENCES | preferences)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:

        def run(*step: Any) -> Any:
            print(json.dumps(step), file=driver.stdin, flush=True)
            line = driver.stdout.readline()
            assert line, f"{step[0]} failed"
            return json.loads(line)

        yield run


def expect_text(run: Step, selector: str, text: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while text not in (found := run("text", selector)):
        assert time.monotonic() < end_s, f"{selector} has {found!r} instead of {text!r}"
        time.sleep(0.1)


def expect_read(run: Step, digit: int) -> None:
    run("click", "#clear")
    run("draw", DIGITS[digit])
    expect_text(run, "#headline", NAMES[digit])


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
        compare(run("ask", asked), service_answers(tmp_path, asked))


def test_after_the_button_the_page_reads_while_the_service_is_away(tmp_path: Path) -> None:
    with firefox() as run:
        with running(tmp_path / "log.txt", "--web", str(page_with_runtime(tmp_path))) as url:
            run("open", url)
            expect_read(run, 2)
            run("click", "#keep-button")
            expect_text(run, "#keep-text", "works without the service")
        expect_read(run, 3)
        run("open", url)
        expect_read(run, 7)
        expect_text(run, "#latency-total", "This browser answered")
