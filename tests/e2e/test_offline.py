"""The page without a network, from the cache of its service worker."""

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.answers import expect_digit
from tests.e2e.conftest import DESKTOP
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, n_inked_pixels

PATIENCE_S = 60
# Not for wait_for_function, which accepts a promise as true.
MISSING_IN_CACHE = """async () => {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const needed = [".", ...loaded.filter((name) => /\\.(css|js|svg)$/.test(name))];
  const kept = await Promise.all(needed.map((name) => caches.match(name)));
  return needed.length > 3 ? needed.filter((_, i) => !kept[i]) : ["most files"];
}"""


def wait_for_cache(page: Page, missing: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while names := page.evaluate(missing):
        assert time.monotonic() < end_s, f"not in the cache: {names}"
        page.wait_for_timeout(50)


@pytest.mark.workflow
def test_the_page_opens_without_a_network_and_reports_the_missing_service(browser: Browser, service: str) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(service)
    page.evaluate("navigator.serviceWorker.ready")
    wait_for_cache(page, MISSING_IN_CACHE)
    context.set_offline(True)
    page.reload()
    expect(page.locator("#banner")).to_be_visible()
    draw(page, DIGITS[2])
    assert n_inked_pixels(page, "#ink") > 1000
    context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    expect_digit(page, 2)
    kept = page.evaluate("caches.open('inkling-page').then((c) => c.keys()).then((k) => k.map(({ url }) => url))")
    assert {f"{service}/css/page.css", f"{service}/page.js"} <= set(kept)
    assert [url for url in kept if "/api/" in url or "/v2" in url] == []
    context.close()


@pytest.mark.slow
def test_files_that_load_before_the_worker_is_active_are_cached(browser: Browser, service: str) -> None:
    context = browser.new_context()
    context.add_init_script("navigator.serviceWorker.register = async () => {}")  # it never becomes active
    page = context.new_page()
    page.goto(service)
    for name in ("css/page.css", "js/docs/try.js"):
        page.evaluate("(name) => fetch(name)", name)
        wait_for_cache(page, f"async () => (await caches.match('{name}')) ? [] : ['{name}']")
    context.close()
