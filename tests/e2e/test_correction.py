"""An answer that is wrong can be put right, where the service keeps such drawings."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw
from tests.e2e.states import LOAD_ERROR, collect
from tests.e2e.test_page import ANSWER, expect_digit


@pytest.fixture
def collecting(page: Page) -> Page:
    page.route("**/api/model", collect)
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    return page


def test_the_strokes_and_the_right_digit_are_sent(collecting: Page) -> None:
    page = collecting
    page.route("**/api/drawings", lambda route: route.fulfill(status=201, json={"id": "1"}))
    draw(page, DIGITS[7])
    expect_digit(page, 7)
    page.get_by_role("button", name="It is wrong").click()
    expect(page.get_by_role("dialog", name="Which digit did you draw?")).to_contain_text("stored")
    with page.expect_request("**/api/drawings") as sent:
        page.get_by_role("dialog").get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#thanks")).to_have_text("Thank you. It is stored as a 1.")
    expect(page.get_by_role("button", name="It is wrong")).to_be_hidden()
    body = json.loads(sent.value.post_data or "")
    assert body["label"] == 1
    assert [len(body["strokes"]), body["strokes"][0][0]] == [1, pytest.approx(DIGITS[7][0][0], abs=0.01)]
    expect_digit(page, 7)


@pytest.mark.slow
def test_a_refusal_is_told_and_escape_closes_without_clearing(collecting: Page, expected_errors: list[str]) -> None:
    page = collecting
    expected_errors.append(LOAD_ERROR)
    page.route("**/api/drawings", lambda route: route.fulfill(status=403, json={"error": "It does not collect."}))
    draw(page, DIGITS[7])
    page.get_by_role("button", name="It is wrong").click()
    page.get_by_role("dialog").get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#correction-problem")).to_have_text("Not stored. It does not collect.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect_digit(page, 7)


@pytest.mark.slow
def test_it_is_not_offered_where_nothing_is_collected(page: Page) -> None:
    page.route("**/api/model", lambda route: route.fulfill(json={"version": ANSWER["model_version"]}))
    page.reload()
    draw(page, DIGITS[7])
    expect_digit(page, 7)
    expect(page.get_by_role("button", name="It is wrong")).to_be_hidden()
