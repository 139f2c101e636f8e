"""The page opens without a network, by what its service worker has kept."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import DESKTOP
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, n_inked_pixels
from tests.e2e.test_page import expect_digit

PATIENCE_S = 60


@pytest.fixture
def installed(browser: Browser, service: str) -> Iterator[Page]:
    """A page that its service worker has taken over."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(service)
    page.evaluate("navigator.serviceWorker.ready")
    # Not wait_for_function, to which a promise is as good as what it brings.
    lacking = """async () => {
      const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
      const needed = [".", ...loaded.filter((name) => /\\.(css|js|svg)$/.test(name))];
      const kept = await Promise.all(needed.map((name) => caches.match(name)));
      return needed.length > 10 ? needed.filter((_, i) => !kept[i]) : ["most files"];
    }"""
    end_s = time.monotonic() + PATIENCE_S
    while names := page.evaluate(lacking):
        assert time.monotonic() < end_s, f"not kept: {names}"
        page.wait_for_timeout(50)
    yield page
    context.close()


def test_the_page_opens_without_a_network_and_says_that_nothing_answers(installed: Page) -> None:
    installed.context.set_offline(True)
    installed.reload()
    expect(installed.locator("#banner")).to_be_visible()
    draw(installed, DIGITS[2])
    assert n_inked_pixels(installed, "#ink") > 1000
    installed.context.set_offline(False)
    expect(installed.locator("#banner")).to_be_hidden()
    expect_digit(installed, 2)


def test_what_comes_before_the_worker_has_taken_over_is_kept_too(browser: Browser, service: str) -> None:
    context = browser.new_context()
    context.add_init_script("navigator.serviceWorker.register = async () => {}")  # it never takes over
    page = context.new_page()
    page.goto(service)
    for name in ("css/page.css", "js/docs/try.js"):
        page.evaluate("(name) => fetch(name)", name)
        end_s = time.monotonic() + PATIENCE_S
        while not page.evaluate("async (name) => Boolean(await caches.match(name))", name):
            assert time.monotonic() < end_s, name
            page.wait_for_timeout(50)
    context.close()


@pytest.mark.slow
def test_no_answer_is_kept(installed: Page) -> None:
    draw(installed, DIGITS[2])
    expect_digit(installed, 2)
    installed.reload()
    kept = installed.evaluate("caches.open('inkling-page').then((c) => c.keys()).then((k) => k.map(({ url }) => url))")
    assert any(url.endswith("/css/page.css") for url in kept)
    assert [url for url in kept if "/api/" in url or "/v2" in url] == []
