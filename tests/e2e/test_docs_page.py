"""The page at /docs in a real browser: the `page` fixture fails on console errors, which a violated CSP is among."""

import itertools
import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import png_of

PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def openapi(service: str) -> dict[str, Any]:
    """The document that the page shows."""
    with urllib.request.urlopen(f"{service}/openapi.json") as response:
        document: dict[str, Any] = json.load(response)
    return document


@pytest.fixture
def docs(page: Page, service: str) -> Page:
    """The page, with everything on it."""
    page.goto(f"{service}/docs")
    expect(page.locator("#loading")).to_have_count(0)
    return page


def open_all(docs: Page) -> None:
    docs.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


def test_every_operation_is_shown_under_its_tag(docs: Page, openapi: dict[str, Any]) -> None:
    for path, item in openapi["paths"].items():
        for method in item.keys() - {"parameters"}:
            operation = item[method]
            card = docs.get_by_role("region", name=operation["tags"][0]).locator(f"#{operation['operationId']}")
            expect(card.locator(".method").first).to_have_text(method.upper())
            expect(card.locator(".path")).to_have_text(path)
            expect(card.locator("span.summary")).to_have_text(operation["summary"])
            expect(card.locator(".responses .status")).to_have_text(list(operation["responses"]))
            expect(card.locator(".command code").first).to_contain_text("curl ")
    n_operations = sum(len(item.keys() - {"parameters"}) for item in openapi["paths"].values())
    expect(docs.locator(".operation")).to_have_count(n_operations)
    assert "undefined" not in docs.locator("main").text_content()  # type: ignore[operator]


def test_a_route_opens_by_its_address_and_by_the_keyboard(docs: Page, service: str) -> None:
    docs.locator(".contents a[href='#model']").click()
    expect(docs.locator("#model")).to_have_attribute("open", "")
    live = docs.locator("#live > summary")
    live.focus()
    live.press("Enter")
    expect(docs.locator("#live")).to_have_attribute("open", "")


@pytest.mark.slow
def test_an_address_that_names_no_route_opens_the_first(docs: Page, service: str) -> None:
    docs.goto(f"{service}/docs#%")
    docs.reload()
    expect(docs.locator("#predict")).to_have_attribute("open", "")


def test_the_sample_is_read(docs: Page) -> None:
    send, outcome = (docs.locator(f"#predict {part}") for part in (".send", ".outcome"))
    send.press("Enter")
    expect(outcome).to_contain_text("200")
    expect(send).to_be_focused()
    expect(outcome).to_contain_text("Server-Timing: decode;dur=")
    expect(outcome.locator("pre")).to_contain_text(re.compile(r'"digit": 7,'))


@pytest.mark.slow
def test_a_file_is_read_and_a_refusal_is_shown(docs: Page, expected_errors: list[str]) -> None:
    expected_errors.append("Failed to load resource")
    file, send, outcome = (docs.locator(f"#predict {part}") for part in ("input[type=file]", ".send", ".outcome"))
    file.set_input_files({"name": "2.png", "mimeType": "image/png", "buffer": png_of(DIGITS[2])})
    send.click()
    expect(outcome.locator("pre")).to_contain_text(re.compile(r'"digit": 2,'))
    file.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"seven"})
    send.click()
    expect(outcome.locator(".status")).to_contain_text("415")
    expect(outcome.locator("pre")).to_contain_text('"error": "')


@pytest.mark.slow
def test_a_get_route_is_asked(docs: Page) -> None:
    docs.locator(".contents a[href='#model']").click()
    docs.locator("#model .send").click()
    expect(docs.locator("#model .outcome pre")).to_contain_text('"sha256": "')


@pytest.mark.slow
@pytest.mark.parametrize("has_clipboard", [True, False])
def test_a_command_is_copied(docs: Page, has_clipboard: bool) -> None:
    docs.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not has_clipboard:  # as on plain http from another machine
        docs.evaluate("Object.defineProperty(navigator.clipboard, 'writeText', { value: undefined })")
    command = docs.locator("#predict .command code")
    docs.locator("#predict select").select_option("application/json")
    docs.get_by_role("button", name="Copy the curl command").first.click()
    expect(docs.locator("#predict .copy")).to_have_text("Copied")
    copied = docs.evaluate("navigator.clipboard.readText()")
    assert copied == command.text_content()
    assert copied.startswith("curl http://127.0.0.1:")


@pytest.mark.slow
def test_everything_has_a_name_and_a_heading(docs: Page) -> None:
    open_all(docs)
    levels = docs.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    unnamed = docs.evaluate(
        """[...document.querySelectorAll("button, a, select, input, canvas")].filter((element) =>
          !element.textContent && !element.labels?.length && !element.getAttribute("aria-label")
        ).map((element) => element.outerHTML)"""
    )
    assert unnamed == []
    twice = docs.evaluate(
        """[...document.querySelectorAll("[id]")].map(({ id }) => id).filter((id, i, all) => all.indexOf(id) !== i)"""
    )
    assert twice == []


class TestOnAPhone:
    @pytest.fixture
    def viewport(self) -> ViewportSize:
        return PHONE

    @pytest.mark.slow
    def test_nothing_is_wider_than_the_window(self, docs: Page) -> None:
        docs.locator("#predict .send").click()
        expect(docs.locator("#predict .outcome pre")).to_be_visible()
        open_all(docs)
        assert docs.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
