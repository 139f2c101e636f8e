"""The real service and a real browser, for the tests of the page."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from bench.browser import MISSING, find_browser, launched
from tests.e2e.answers import LOAD_ERROR
from tests.e2e.service import running
from tests.needs import missing

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


# Package scope, because Playwright's event loop would disturb loops in tests of other folders.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start a headless Chromium, or skip the tests without one."""
    if find_browser() is None:
        missing(MISSING)
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("service") / "log.txt") as url:
        yield url


@pytest.fixture(scope="session")
def card(service: str) -> dict[str, Any]:
    """Return the card of the committed model; do not change it."""
    with urllib.request.urlopen(f"{service}/api/model") as response:
        card: dict[str, Any] = json.load(response)
    return card


@pytest.fixture
def load_errors() -> None:
    """Allow the console messages for failed requests, which a test provokes."""


@pytest.fixture
def viewport() -> ViewportSize:
    return DESKTOP


@pytest.fixture
def tab(browser: Browser, service: str, viewport: ViewportSize, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty tab, whose base is the service.

    Console errors (such as CSP violations), exceptions and requests to other hosts fail the test.
    """
    # A service worker would bypass the routes that replace the service in tests.
    # With reduced motion, no sample plays when the page opens.
    context = browser.new_context(
        viewport=viewport, has_touch=True, service_workers="block", base_url=service, reduced_motion="reduce"
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    yield page
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    allowed = LOAD_ERROR if "load_errors" in request.fixturenames else ()
    assert [problem for problem in problems if not problem.startswith(allowed)] == []
    assert [url for url in requests if not url.startswith((f"{service}/", "blob:", "data:"))] == []


@pytest.fixture
def page(tab: Page) -> Page:
    tab.goto("/")
    return tab
