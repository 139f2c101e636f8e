"""Answers that come when something else is there: another image or drawing, or another model."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, give_file, png_of
from tests.e2e.test_page import ANSWER, QUIET_MS, expect_digit

REPLAY_MS = 800  # a little more than a sample takes to be drawn


@pytest.mark.slow
def test_ink_that_an_image_overtakes_is_not_told_beside_it(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/predict*", lambda route: held.append(route))
    draw(page, DIGITS[4])
    page.wait_for_timeout(QUIET_MS)
    give_file(page, "drop", png_of(DIGITS[7]))
    held.pop().continue_()
    page.wait_for_timeout(QUIET_MS)
    expect(page.locator("#answer")).to_have_attribute("data-state", "reading")
    held.pop().continue_()
    expect_digit(page, 7)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["replay", "pen"])
def test_an_image_ends_what_is_being_drawn(page: Page, way: str) -> None:
    if way == "replay":
        page.locator("#samples button").first.evaluate("button => button.click()")
    else:
        page.locator("#ink").hover(position={"x": 50, "y": 50})
        page.mouse.down()
    give_file(page, "drop", png_of(DIGITS[7]))
    if way == "pen":
        page.locator("#ink").hover(position={"x": 150, "y": 150})
        page.mouse.up()
    expect_digit(page, 7)
    page.wait_for_timeout(REPLAY_MS)
    expect_digit(page, 7)
    expect(page.locator("#picture")).to_be_visible()


@pytest.mark.slow
def test_two_models_that_answer_in_turn_cost_one_card(page: Page) -> None:
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    cards: list[Route] = []

    def other_card(route: Route) -> None:
        cards.append(route)
        route.fulfill(json={"version": "0a1b2c3d4e5f"})

    page.route("**/api/model", other_card)
    for digit in (1, 4, 1):
        page.route("**/api/predict*", lambda route: route.fulfill(json=ANSWER))
        draw(page, DIGITS[digit])
        expect(page.locator("#detail")).to_have_text("55.0 % confident")
        page.unroute("**/api/predict*")
        page.keyboard.press("Escape")
        draw(page, DIGITS[digit])
        expect_digit(page, digit)
        expect(page.locator("#detail")).not_to_have_text("55.0 % confident")
        page.keyboard.press("Escape")
    assert len(cards) == 1
