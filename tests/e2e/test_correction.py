"""The correction of wrong answers, in a service that stores drawings."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.answers import QUIET_MS, expect_digit, expect_one, hold, serve_card
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, give_file, png_of


@pytest.fixture
def page(tab: Page, card: dict[str, Any]) -> Page:
    """Open the page of a service that stores drawings, and draw a 7."""
    serve_card(tab, card | {"memory": None, "service": {"collects": True}})
    tab.goto("/")
    draw(tab, DIGITS[7])
    expect_digit(tab, 7)
    return tab


def correct(page: Page) -> Locator:
    page.get_by_role("button", name="It is wrong").click()
    return page.get_by_role("dialog", name="Which digit did you draw?")


def choose(page: Page, digit: int) -> None:
    page.get_by_role("dialog").get_by_role("button", name=str(digit), exact=True).click()


@pytest.mark.workflow
def test_the_strokes_and_the_right_digit_are_sent(page: Page) -> None:
    page.route("**/api/drawings", lambda route: route.fulfill(status=201, json={"id": "1"}))
    dialog = correct(page)
    expect(dialog).to_contain_text("stored")
    for event in ("drop", "paste"):  # files do not change the drawing under an open dialog
        give_file(page, event, png_of(DIGITS[2]))
    with page.expect_request("**/api/drawings") as sent:
        choose(page, 1)
    expect(page.locator("#thanks")).to_have_text("Thank you. It is stored as a 1.")
    expect(page.get_by_role("button", name="It is wrong")).to_be_hidden()
    body = json.loads(sent.value.post_data or "")
    assert body["label"] == 1
    assert [len(body["strokes"]), body["strokes"][0][0]] == [1, pytest.approx(DIGITS[7][0][0], abs=0.01)]
    expect_digit(page, 7)
    expect(page.locator("#picture")).to_be_hidden()


@pytest.mark.slow
def test_a_drawing_is_stored_once_and_the_thanks_belong_to_it(page: Page) -> None:
    held = hold(page, "**/api/drawings")
    correct(page)
    for digit in (1, 2):
        choose(page, digit)
    expect_one(page, held)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Clear").click()
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    dialog = correct(page)
    held.pop().fulfill(status=201, json={"id": "1"})
    page.wait_for_timeout(QUIET_MS)
    expect(dialog).to_be_visible()
    choose(page, 9)
    page.wait_for_timeout(QUIET_MS)
    held.pop().fulfill(status=201, json={"id": "2"})
    expect(page.locator("#thanks")).to_have_text("Thank you. It is stored as a 9.")


@pytest.mark.slow
@pytest.mark.usefixtures("load_errors")
def test_a_rejection_is_shown_and_escape_only_closes_the_dialog(page: Page) -> None:
    page.route("**/api/drawings", lambda route: route.fulfill(status=403, json={"error": "It does not collect."}))
    dialog = correct(page)
    choose(page, 1)
    expect(page.locator("#correction-problem")).to_have_text("Not stored. It does not collect.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect_digit(page, 7)
