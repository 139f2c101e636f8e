"""Responses that tests use in place of the service's, and what the page shows for an answer."""

import base64
import time
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.e2e.digits import NAMES
from tests.e2e.hand import n_inked_pixels

ANSWER: dict[str, Any] = {
    "state": "digit",
    "digit": 4,
    "confidence": 0.55,
    "probabilities": [0, 0, 0, 0, 0.55, 0, 0, 0, 0.02, 0.43],
    "digit_score": 0.8,
    "box": {"left": 90, "top": 60, "right": 190, "bottom": 220},
    "normalized": base64.b64encode(bytes(28 * 28)).decode(),
    "width": 280,
    "height": 280,
    "model_version": "0a1b2c3d4e5f",
}
UNSURE = {"state": "unsure", "probabilities": ANSWER["probabilities"]}
NOT_A_DIGIT = {"state": "not_a_digit", "digit": None, "confidence": None}
FAULT = {"status": 500, "json": {"error": "A fault."}}
LOAD_ERROR = "Failed to load resource"  # beginning of the console message for a provoked error
QUIET_MS = 150  # long enough for a request that should not be sent
DASH = "\N{EN DASH}"


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("#answer")).to_have_attribute("data-state", state)


def expect_ready(page: Page) -> None:
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")


def expect_digit(page: Page, digit: int) -> None:
    expect(page.locator("#headline")).to_have_text(NAMES[digit])
    expect(page.locator("#glyph")).to_have_text(str(digit))
    expect_state(page, "digit")


def expect_blank(page: Page) -> None:
    expect_state(page, "blank")
    expect(page.locator("#headline")).to_have_text("Draw a digit")
    expect(page.locator("#hint")).to_be_visible()
    expect(page.locator("#bars .share")).to_have_text([""] * 10)
    assert n_inked_pixels(page, "#ink") == 0


def hold(page: Page, pattern: str = "**/api/predict*") -> list[Route]:
    """Hold the requests, and return the growing list of them."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def expect_one(page: Page, held: list[Route]) -> None:
    """Wait for a held request, and check that no second one comes."""
    end_s = time.monotonic() + 10
    while not held and time.monotonic() < end_s:
        page.wait_for_timeout(50)
    page.wait_for_timeout(QUIET_MS)
    assert len(held) == 1


def replace_answers(page: Page, answer: dict[str, Any]) -> None:
    page.route("**/api/predict*", lambda route: route.fulfill(json=answer))


def change_answers(page: Page, changes: dict[str, Any], pattern: str = "**/api/predict*") -> None:

    def change(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), **changes})

    page.route(pattern, change)


def serve_card(page: Page, card: dict[str, Any]) -> None:
    page.route("**/api/model", lambda route: route.fulfill(json=card))
