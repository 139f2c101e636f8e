"""The real service and a real browser, for the tests of the page."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.browser import ARGUMENTS, MISSING, find_browser
from tests.e2e.service import running
from tests.needs import missing

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
    """The address of a service that runs the committed model."""
    with running() as url:
        yield url


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


def _is_foreign(url: str, service: str) -> bool:
    return urlsplit(url).scheme not in ("blob", "data") and not url.startswith(f"{service}/")
