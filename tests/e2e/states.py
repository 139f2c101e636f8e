"""Every state of the page, each with the actions that lead to it."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e.answers import NOT_A_DIGIT, UNSURE, change_answers, expect_ready, expect_state
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, draw_by_pen, give_file, png_of


def see_empty(page: Page) -> None:
    """The page after it has opened."""
    expect_ready(page)
    expect_state(page, "blank")


def see_digit(page: Page) -> None:
    """A digit."""
    _draw(page, "digit")


def see_unsure(page: Page) -> None:
    """Ink that could be two digits."""
    change_answers(page, UNSURE)
    _draw(page, "unsure")


def see_refused(page: Page) -> None:
    """Ink that is rejected."""
    change_answers(page, NOT_A_DIGIT)
    _draw(page, "not_a_digit")


def see_error(page: Page) -> None:
    """A service that cannot be reached."""
    page.route("**/api/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "down")
    _draw(page, "error")


def see_image(page: Page) -> None:
    """A dropped image."""
    see_empty(page)
    give_file(page, "drop", png_of(DIGITS[7]))
    expect(page.locator("#picture")).to_be_visible()
    expect_state(page, "digit")


def see_reading(page: Page) -> None:
    """An image without its answer."""
    see_empty(page)
    page.route("**/api/predict*", lambda _: None)
    give_file(page, "drop", png_of(DIGITS[7]))
    expect_state(page, "reading")


def see_unreadable(page: Page) -> None:
    """A file that is not an image."""
    see_empty(page)
    give_file(page, "drop", b"seven")
    expect(page.locator("#unshown")).to_be_visible()
    expect_state(page, "error")


def see_correction(page: Page) -> None:
    """The dialog that asks for the right digit."""
    page.route("**/api/model", collect)
    page.reload()
    see_digit(page)
    page.locator("#wrong").click()
    expect(page.locator("#correction")).to_be_visible()


def collect(route: Route) -> None:
    """Respond with the card of a service that stores drawings."""
    response = route.fetch()
    route.fulfill(response=response, json={**response.json(), "service": {"collects": True}})


def see_pen_mode(page: Page) -> None:
    """A pen was used, so fingers leave no ink."""
    see_empty(page)
    draw_by_pen(page, DIGITS[3])
    expect(page.locator("#pen-mode")).to_be_visible()
    expect_state(page, "digit")


def see_squeezed(page: Page) -> None:
    """The comparison with the resized canvas."""
    see_digit(page)
    page.locator("#squeeze").check()
    page.locator("#squeeze-panel").scroll_into_view_if_needed()
    expect(page.locator("#squeezed-reading")).to_contain_text("Read as")


def see_damaged_link(page: Page) -> None:
    """A link with a damaged drawing."""
    page.goto(re.sub("/?$", "/#ink=1!!", page.url, count=1))
    expect_state(page, "error")


def see_waiting(page: Page) -> None:
    """A page without its card."""
    page.route("**/api/model", lambda _: None)
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "loading")


def see_docs(page: Page) -> None:
    """The page of the API with one response."""
    page.goto(re.sub("/?$", "/docs", page.url, count=1))
    page.locator("#predict .send").click()
    expect(page.locator("#predict .outcome pre")).to_be_visible()


def see_all_docs(page: Page) -> None:
    """The page of the API with every operation open."""
    see_docs(page)
    unfold(page)


def unfold(page: Page) -> None:
    """Open all details."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


STATES: dict[str, Callable[[Page], None]] = {
    "empty": see_empty,
    "digit": see_digit,
    "unsure": see_unsure,
    "refused": see_refused,
    "error": see_error,
    "image": see_image,
    "reading": see_reading,
    "unreadable": see_unreadable,
    "correction": see_correction,
    "pen mode": see_pen_mode,
    "squeezed": see_squeezed,
    "damaged link": see_damaged_link,
    "waiting": see_waiting,
    "docs": see_all_docs,
}


def scroll_through(page: Page) -> None:
    """Scroll to the bottom and back with all details open, so that every part is shown."""
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


def _draw(page: Page, state: str) -> None:
    draw(page, DIGITS[3])
    expect_state(page, state)
