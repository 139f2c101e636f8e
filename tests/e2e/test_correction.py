"""An answer that is wrong can be put right, where the service keeps such drawings."""

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, give_file, png_of
from tests.e2e.states import LOAD_ERROR, collect
from tests.e2e.test_page import ANSWER, QUIET_MS, expect_digit


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
def test_it_is_stored_once_and_the_thanks_stand_beside_no_other_ink(collecting: Page) -> None:
    page = collecting
    held: list[Route] = []
    page.route("**/api/drawings", lambda route: held.append(route))
    draw(page, DIGITS[7])
    page.get_by_role("button", name="It is wrong").click()
    for digit in "12":
        page.get_by_role("dialog").get_by_role("button", name=digit, exact=True).click()
    page.wait_for_timeout(QUIET_MS)
    assert len(held) == 1
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Clear").click()
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    page.get_by_role("button", name="It is wrong").click()
    held.pop().fulfill(status=201, json={"id": "1"})
    page.wait_for_timeout(QUIET_MS)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="9", exact=True).click()
    page.wait_for_timeout(QUIET_MS)
    held.pop().fulfill(status=201, json={"id": "2"})
    expect(page.locator("#thanks")).to_have_text("Thank you. It is stored as a 9.")


@pytest.mark.slow
@pytest.mark.parametrize("event", ["drop", "paste"])
def test_an_image_that_is_given_meanwhile_changes_nothing(collecting: Page, event: str) -> None:
    page = collecting
    page.route("**/api/drawings", lambda route: route.fulfill(status=201, json={"id": "1"}))
    draw(page, DIGITS[7])
    page.get_by_role("button", name="It is wrong").click()
    give_file(page, event, png_of(DIGITS[2]))
    page.get_by_role("dialog").get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#thanks")).to_have_text("Thank you. It is stored as a 1.")
    expect_digit(page, 7)
    expect(page.locator("#picture")).to_be_hidden()


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
