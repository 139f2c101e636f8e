"""Every state that the page can be in, each with what a person does to see it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, give_file, png_of

# In place of what the service says: ink whose answer would stay the same with every model is hard to find.
UNSURE = {"state": "unsure", "alternatives": [{"digit": 4, "confidence": 0.55}, {"digit": 9, "confidence": 0.43}]}
NOT_A_DIGIT = {"state": "not_a_digit", "digit": None, "confidence": None}
LOAD_ERROR = "Failed to load resource"  # how the console's messages of a provoked error begin


def see_empty(page: Page) -> None:
    """As the page opens."""
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    expect(page.locator("#answer")).to_have_attribute("data-state", "blank")


def see_digit(page: Page) -> None:
    """A digit that is read."""
    _draw(page, "digit")


def see_unsure(page: Page) -> None:
    """One that could be two."""
    _change_answers(page, UNSURE)
    _draw(page, "unsure")


def see_refused(page: Page) -> None:
    """Ink that is called no digit."""
    _change_answers(page, NOT_A_DIGIT)
    _draw(page, "not_a_digit")


def see_error(page: Page) -> None:
    """A service that cannot be reached, from the start."""
    page.route("**/api/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "down")
    _draw(page, "error")


def see_image(page: Page) -> None:
    """An image that was dropped on the page."""
    see_empty(page)
    give_file(page, "drop", png_of(DIGITS[7]))
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("data-state", "digit")


def see_docs(page: Page) -> None:
    """The page of the API, with one answer shown."""
    page.goto(re.sub("/?$", "/docs", page.url, count=1))
    page.locator("#predict .send").click()
    expect(page.locator("#predict .outcome pre")).to_be_visible()


def see_all_docs(page: Page) -> None:
    """The same with every route open."""
    see_docs(page)
    unfold(page)


def unfold(page: Page) -> None:
    """Opens all that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


STATES: dict[str, Callable[[Page], None]] = {
    "empty": see_empty,
    "digit": see_digit,
    "unsure": see_unsure,
    "refused": see_refused,
    "error": see_error,
    "image": see_image,
    "docs": see_all_docs,
}


def scroll_through(page: Page) -> None:
    """From top to bottom and back, with all that is folded open: parts that wait to be seen are made."""
    unfold(page)
    page.evaluate(
        """async () => {
          for (let y = 0; y < document.documentElement.scrollHeight; y += window.innerHeight) {
            window.scrollTo({ top: y, behavior: "instant" });
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
          }
          window.scrollTo({ top: 0, behavior: "instant" });
          await new Promise(requestAnimationFrame);
        }"""
    )


def _change_answers(page: Page, changes: dict[str, Any]) -> None:
    def change(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), **changes})

    page.route("**/api/predict*", change)


def _draw(page: Page, state: str) -> None:
    draw(page, DIGITS[3])
    expect(page.locator("#answer")).to_have_attribute("data-state", state)
