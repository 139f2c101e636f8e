"""The visitor's hand: what the page remembers of drawings, and what that changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.e2e.answers import expect_digit, serve_card
from tests.e2e.conftest import PHONE
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw
from tests.e2e.test_accessibility import violations

RULE = {
    "similarity": 0.4, "unknown_similarity": 0.5, "weight": 30.0, "score_similarity": 0.6, "score_weight": 30.0,
}  # fmt: skip


@pytest.fixture
def collects() -> bool:
    return False


@pytest.fixture
def page(tab: Page, card: dict[str, Any], collects: bool) -> Page:
    """Open the page of a model with a memory, and draw a 7."""
    serve_card(tab, card | {"memory": RULE, "service": {"collects": collects}})
    tab.goto("/")
    expect(tab.locator("#hand-state")).to_contain_text("can learn")
    draw(tab, DIGITS[7])
    expect_digit(tab, 7)
    return tab


def correct(page: Page, digit: int) -> None:
    page.get_by_role("button", name="It is wrong").click()
    page.get_by_role("dialog").get_by_role("button", name=str(digit), exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def expect_remembered(page: Page, text: str) -> None:
    expect(page.locator("#hand-state")).to_contain_text(text)


def answer_to(page: Page, digit: int) -> dict[str, Any]:
    """Draw a digit on an empty sheet, and return the service's last answer to it."""
    page.get_by_role("button", name="Clear").click()
    bodies: list[dict[str, Any]] = []
    page.on("response", lambda response: bodies.append(response.json()) if "/api/predict" in response.url else None)
    draw(page, DIGITS[digit])
    expect_digit(page, digit)
    return bodies[-1]


@pytest.mark.workflow
def test_a_correction_changes_the_next_answers_until_it_is_forgotten(page: Page) -> None:
    texts = page.locator("#answer").inner_text()
    before = answer_to(page, 7)
    assert "features" not in before
    correct(page, 1)
    expect_digit(page, 1)
    expect(page.locator("#detail")).to_contain_text("because of your drawings")
    expect_remembered(page, "one of your drawings, in this browser only")
    page.reload()
    expect_digit(page, 1)
    page.get_by_role("button", name="Forget me").click()
    expect_digit(page, 7)
    assert page.evaluate("localStorage.length") == 0
    assert page.locator("#answer").inner_text() == texts
    assert answer_to(page, 7) == before


@pytest.mark.workflow
@pytest.mark.parametrize("viewport", [PHONE | {"height": 560}])
def test_teaching_asks_for_each_digit_and_can_be_left(page: Page, viewport: ViewportSize) -> None:
    page.get_by_role("button", name="Teach it").click()
    expect(page.locator("#teach-task")).to_have_text("Draw a 0")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#teach-count")).to_have_text("The sheet is empty.")
    for digit in (0, 1, 2):
        expect(page.locator("#teach-task")).to_have_text(f"Draw a {digit}")
        draw(page, DIGITS[digit])
        expect(page.locator("#why")).not_to_have_text("")  # the maps are those of the whole digit
        assert violations(page) == []
        page.get_by_role("button", name="Next").click()
    expect(page.locator("#teach-count")).to_have_text("4 of 20, as you always write it.")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_role("button", name="Stop").click()
    expect_remembered(page, "3 of your drawings")
    expect(page.locator("#headline")).to_have_text("Draw a digit")
    draw(page, DIGITS[2])
    expect_digit(page, 2)


@pytest.mark.slow
def test_two_of_each_digit_end_the_teaching(page: Page) -> None:
    page.get_by_role("button", name="Teach it").click()
    for digit in (*range(10), *range(10)):
        expect(page.locator("#teach-task")).to_have_text(f"Draw a {digit}")
        draw(page, DIGITS[digit])
        page.get_by_role("button", name="Next").click()
    expect(page.locator("#teach")).to_be_hidden()
    expect_remembered(page, "20 of your drawings")


@pytest.mark.workflow
def test_the_memory_is_a_file(page: Page, tmp_path: Path) -> None:
    correct(page, 1)
    expect_digit(page, 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "hand.json"
    download.value.save_as(file)
    exported = json.loads(file.read_text(encoding="utf-8"))
    assert [drawing["label"] for drawing in exported["drawings"]] == [1]
    page.get_by_role("button", name="Forget me").click()
    expect_digit(page, 7)
    page.locator("#hand-file").set_input_files(file)
    expect_digit(page, 1)
    for text, problem in (
        ("no JSON", "no drawings that Inkling exported"),
        (json.dumps(exported | {"model": "0123456789ab"}), "made with another model"),
    ):
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
        page.locator("#hand-file").set_input_files(tmp_path / "other.json")
        expect_remembered(page, problem)
    expect_digit(page, 1)


@pytest.mark.slow
def test_drawings_for_another_model_no_longer_count(page: Page, card: dict[str, Any]) -> None:
    correct(page, 1)
    expect_digit(page, 1)
    page.evaluate('localStorage.hand = localStorage.hand.replace(/"model":"\\w+"/, \'"model":"0123456789ab"\')')
    page.reload()
    expect_digit(page, 7)
    expect_remembered(page, "The model has changed")


@pytest.mark.slow
@pytest.mark.parametrize("collects", [True])
@pytest.mark.parametrize("is_sent", [True, False])
def test_sending_a_correction_is_a_choice_of_its_own(page: Page, is_sent: bool) -> None:
    sent: list[Any] = []

    def store(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=201, json={"id": "1"})

    page.route("**/api/drawings", store)
    page.get_by_role("button", name="It is wrong").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name="Also send").set_checked(is_sent)
    dialog.get_by_role("button", name="1", exact=True).click()
    expect_digit(page, 1)
    assert [set(body) for body in sent] == [{"strokes", "label"}] * is_sent
