"""The page at /docs in a real browser."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import png_of


@pytest.fixture
def docs(tab: Page) -> Page:
    tab.goto("/docs")
    expect(tab.locator("#loading")).to_have_count(0)
    return tab


@pytest.mark.workflow
def test_every_operation_is_shown_under_its_tag(docs: Page, service: str) -> None:
    with urllib.request.urlopen(f"{service}/openapi.json") as response:
        openapi = json.load(response)
    for path, item in openapi["paths"].items():
        for method in item.keys() - {"parameters"}:
            operation = item[method]
            card = docs.get_by_role("region", name=operation["tags"][0]).locator(f"#{operation['operationId']}")
            # JavaScript's objects have the keys that are numbers first.
            statuses = sorted(operation["responses"], key=lambda status: (not status.isdigit(), status))
            texts = [method.upper(), path, operation["summary"], *statuses]
            places = (".method", ".path", "span.summary", ".responses .status")
            assert [text for place in places for text in card.locator(place).all_text_contents()] == texts
            expect(card.locator(".command code").first).to_contain_text("curl ")
    n_operations = sum(len(item.keys() - {"parameters"}) for item in openapi["paths"].values())
    expect(docs.locator(".operation")).to_have_count(n_operations)
    assert "undefined" not in docs.locator("main").text_content()  # type: ignore[operator]


@pytest.mark.workflow
def test_operations_are_opened_and_tried(docs: Page) -> None:
    send, outcome = (docs.locator(f"#predict {part}") for part in (".send", ".outcome"))
    send.press("Enter")
    expect(outcome).to_contain_text("200")
    expect(send).to_be_focused()
    expect(outcome).to_contain_text("Server-Timing: decode;dur=")
    expect(outcome.locator("pre")).to_contain_text(re.compile(r'"digit": 7,'))
    docs.locator(".contents a[href='#model']").click()
    expect(docs.locator("#model")).to_have_attribute("open", "")
    docs.locator("#model .send").click()
    expect(docs.locator("#model .outcome pre")).to_contain_text('"sha256": "')
    docs.locator("#live > summary").press("Enter")
    expect(docs.locator("#live")).to_have_attribute("open", "")
    docs.goto("/docs#%")
    docs.reload()
    expect(docs.locator("#predict")).to_have_attribute("open", "")


@pytest.mark.slow
@pytest.mark.usefixtures("load_errors")
def test_a_file_is_read_and_a_rejection_is_shown(docs: Page) -> None:
    file, send, outcome = (docs.locator(f"#predict {part}") for part in ("input[type=file]", ".send", ".outcome"))
    file.set_input_files({"name": "2.png", "mimeType": "image/png", "buffer": png_of(DIGITS[2])})
    send.click()
    expect(outcome.locator("pre")).to_contain_text('"digit": 2,')
    file.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"seven"})
    send.click()
    expect(outcome.locator(".status")).to_contain_text("415")
    expect(outcome.locator("pre")).to_contain_text('"error": "')
