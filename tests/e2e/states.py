"""Every state of the page, each with the actions that lead to it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.answers import NOT_A_DIGIT, UNSURE, change_answers, expect_ready, expect_state
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw, draw_by_pen, give_file, png_of


def see_empty(page: Page) -> None:
    expect_ready(page)
    expect_state(page, "blank")


def see_digit(page: Page, state: str = "digit") -> None:
    draw(page, DIGITS[3])
    expect_state(page, state)


def see_unsure(page: Page) -> None:
    change_answers(page, UNSURE)
    see_digit(page, "unsure")


def see_refused(page: Page) -> None:
    change_answers(page, NOT_A_DIGIT)
    see_digit(page, "not_a_digit")


def see_number(page: Page) -> None:
    draw(
        page, [[(x / 2, y) for x, y in stroke] for stroke in DIGITS[4]] + [[(x / 2 + 0.45, y) for x, y in DIGITS[2][0]]]
    )
    expect_state(page, "number")


def see_error(page: Page) -> None:
    page.route("**/api/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "down")
    see_digit(page, "error")


def see_image(page: Page) -> None:
    see_empty(page)
    give_file(page, "drop", png_of(DIGITS[7]))
    expect(page.locator("#picture")).to_be_visible()
    expect_state(page, "digit")


def see_reading(page: Page) -> None:
    see_empty(page)
    page.route("**/api/predict*", lambda _: None)
    give_file(page, "drop", png_of(DIGITS[7]))
    expect_state(page, "reading")


def see_unreadable(page: Page) -> None:
    see_empty(page)
    give_file(page, "drop", b"seven")
    expect(page.locator("#unshown")).to_be_visible()
    expect_state(page, "error")


def see_correction(page: Page) -> None:
    change_answers(page, {"service": {"collects": True}}, "**/api/model")
    page.reload()
    see_digit(page)
    page.locator("#wrong").click()
    expect(page.locator("#correction")).to_be_visible()


def see_teaching(page: Page) -> None:
    see_empty(page)
    page.locator("#hand-teach").click()
    draw(page, DIGITS[0])
    expect(page.locator("#teach-task")).to_be_in_viewport()


def see_pen_mode(page: Page) -> None:
    see_empty(page)
    draw_by_pen(page, DIGITS[3])
    expect(page.locator("#pen-mode")).to_be_visible()
    expect_state(page, "digit")


def see_explanations(page: Page) -> None:
    see_digit(page)
    page.get_by_text("Look inside").click()
    expect(page.locator("#inside-body")).to_be_visible()
    page.locator("#squeeze-panel").scroll_into_view_if_needed()
    expect(page.locator("#squeezed-reading")).to_contain_text("Read as")


def see_kernel(page: Page) -> None:
    see_digit(page)
    expect(page.locator("#why")).not_to_have_text("")
    page.locator("#live-layers li").nth(2).get_by_role("button").first.click()
    expect(page.locator("#kernel canvas")).to_have_count(7)


def see_damaged_link(page: Page) -> None:
    page.goto(re.sub("/?$", "/#ink=1!!", page.url, count=1))
    expect_state(page, "error")


def see_waiting(page: Page) -> None:
    page.route("**/api/model", lambda _: None)
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "loading")


def see_docs(page: Page) -> None:
    page.goto(re.sub("/?$", "/docs", page.url, count=1))
    page.locator("#predict .send").click()
    expect(page.locator("#predict .outcome pre")).to_be_visible()


STATES: list[Callable[[Page], Any]] = [
    see_empty, see_digit, see_unsure, see_refused, see_number, see_error, see_image, see_reading, see_unreadable,
    see_correction, see_teaching, see_pen_mode, see_explanations, see_kernel, see_damaged_link, see_waiting, see_docs,
]  # fmt: skip


def scroll_through(page: Page) -> None:
    """Scroll to the bottom and back with all details open, so that every part is shown."""
    page.evaluate(
        """async () => {
          document.querySelectorAll("details").forEach((details) => { details.open = true; });
          for (let y = 0; y < document.documentElement.scrollHeight; y += window.innerHeight) {
            window.scrollTo({ top: y, behavior: "instant" });
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
          }
          window.scrollTo({ top: 0, behavior: "instant" });
          await new Promise(requestAnimationFrame);
        }"""
    )
