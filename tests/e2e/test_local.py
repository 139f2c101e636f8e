"""The page reads without the service: on a static host, and while the service is away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.answers import expect_digit, serve_card
from tests.e2e.conftest import DESKTOP
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, png_of, upload
from tests.e2e.service import page_with_runtime, running, site
from tests.project import free_port

LOCAL = ("/api/model.onnx", "/runtime/", "/js/local/", "/js/number/")


LOADING_MS = 60_000  # of the runtime, on a machine under load


@pytest.fixture
def opened(browser: Browser) -> Iterator[Page]:
    """Open a tab whose page may have a service worker. Without motion, no sample plays."""
    context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
    page = context.new_page()
    yield page
    context.close()


@pytest.mark.workflow
def test_a_static_host_serves_a_page_that_reads(opened: Page, tmp_path: Path) -> None:
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    with site(tmp_path) as url:
        opened.goto(url)
        draw(opened, DIGITS[4])
        expect(opened.locator("#headline")).to_have_text("Four", timeout=LOADING_MS)
        expect_digit(opened, 4)
        expect(opened.locator("#latency-total")).to_contain_text("This browser answered")
        expect(opened.locator("#model-state")).to_have_text("This browser")
        expect(opened.locator("#why")).not_to_be_empty()
        expect(opened.locator("#banner")).to_be_hidden()
        assert opened.locator(".of-service:visible").count() == 0
        upload(opened, png_of(DIGITS[7]))
        expect_digit(opened, 7)
        upload(opened, b"no picture")
        expect(opened.locator("#detail")).to_contain_text("This file is no image")
        assert problems == []


@pytest.mark.workflow
def test_after_the_button_the_page_reads_while_the_service_is_away(opened: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    opened.context.on("request", lambda request: asked.append(request.url))
    port, web = free_port(), page_with_runtime(tmp_path)
    with running(tmp_path / "log.txt", "--web", str(web), port=port) as url:
        opened.goto(url)
        opened.evaluate("navigator.serviceWorker.ready")
        draw(opened, DIGITS[2])
        expect_digit(opened, 2)
        expect(opened.locator("#latency-total")).to_contain_text("The service answered")
        assert [name for name in asked if any(part in name for part in LOCAL)] == []
        opened.locator("#keep-button").click()
        expect(opened.locator("#keep-text")).to_contain_text("works without the service", timeout=LOADING_MS)
        expect(opened.locator("#model-state")).to_have_text("Ready")
    opened.locator("#clear").click()
    draw(opened, DIGITS[3])  # the page is open when the service ends
    expect(opened.locator("#headline")).to_have_text("Three", timeout=LOADING_MS)
    expect_digit(opened, 3)
    opened.reload()
    opened.locator("#clear").click()
    draw(opened, DIGITS[7])
    expect(opened.locator("#headline")).to_have_text("Seven", timeout=LOADING_MS)
    expect(opened.locator("#latency-total")).to_contain_text("This browser answered")
    expect(opened.locator("#model-state")).to_have_text("This browser")
    expect(opened.locator("#banner")).to_be_hidden()
    expect(opened.locator("#why")).not_to_be_empty()
    with running(tmp_path / "log.txt", "--web", str(web), port=port):
        opened.reload()
        expect(opened.locator("#model-state")).to_have_text("Ready")
        expect(opened.locator("#latency-total")).to_contain_text("The service answered")
        opened.locator("#keep-button").click()
        expect(opened.locator("#keep-button")).to_have_text("Make it work without the service")
        assert opened.evaluate("caches.match('api/model')") is None


def test_without_the_runtime_there_is_no_button(page: Page, card: dict[str, Any]) -> None:
    for runtime in (False, True):
        serve_card(page, card | {"service": {"collects": False, "runtime": runtime}})
        page.reload()
        expect(page.locator("#model-state")).to_have_text("Ready")
        expect(page.locator("#keep")).to_be_visible(visible=runtime)
