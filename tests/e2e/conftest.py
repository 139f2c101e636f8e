"""The real service and a real browser, for the tests of the page."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.browser import ARGUMENTS, MISSING, find_browser
from tests.needs import missing

ROOT = Path(__file__).parents[2]
START_SECONDS = 20
DESKTOP: ViewportSize = {"width": 1280, "height": 800}


# Package scope throughout, not session: Playwright keeps an event loop running in this thread for as long as it is
# open, and tests of other folders want to run loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium; where there is none, the tests are skipped."""
    path = find_browser()
    if path is None:
        missing(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service() -> Iterator[str]:
    """The address of a service that runs the committed model on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "serving", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            if not _is_ready(url, process):
                log.seek(0)
                pytest.fail(f"`{' '.join(command)}` is not ready:\n{log.read().decode()}")
            yield url
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


@pytest.fixture
def expected_errors() -> list[str]:
    """What a test that provokes errors adds to: beginnings of console messages that the page may then leave."""
    return []


@pytest.fixture
def viewport() -> ViewportSize:
    """The window's size in CSS pixels, for tests to override."""
    return DESKTOP


@pytest.fixture
def page(browser: Browser, service: str, viewport: ViewportSize, expected_errors: list[str]) -> Iterator[Page]:
    """The open page. Console errors, which a violated CSP is among, exceptions and foreign requests fail the test."""
    # Requests of a service worker pass by the routes with which tests stand in for the service.
    context = browser.new_context(viewport=viewport, has_touch=True, service_workers="block")
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if _is_foreign(request.url, service) else None)
    page.goto(service)
    yield page
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    assert [problem for problem in problems if not problem.startswith(tuple(expected_errors))] == []


def _is_ready(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=1):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    return False


def _is_foreign(url: str, service: str) -> bool:
    return urlsplit(url).scheme not in ("blob", "data") and not url.startswith(f"{service}/")
