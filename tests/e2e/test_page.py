"""The page in a real browser, against the real service and the committed model."""

import base64
import re

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.e2e.digits import DIGITS, NAMES, SCRIBBLE
from tests.e2e.hand import draw, draw_by_touch, give_file, n_inked_pixels, png_of

PHONE: ViewportSize = {"width": 360, "height": 740}
ANSWER = {
    "state": "digit",
    "digit": 4,
    "confidence": 0.55,
    "alternatives": [],
    "probabilities": [0, 0, 0, 0, 0.55, 0, 0, 0, 0.02, 0.43],
    "digit_score": 0.8,
    "box": {"left": 90, "top": 60, "right": 190, "bottom": 220},
    "normalized": base64.b64encode(bytes(28 * 28)).decode(),
    "width": 280,
    "height": 280,
    "model_version": "0a1b2c3d4e5f",
}
UNSURE = {"state": "unsure", "alternatives": [{"digit": 4, "confidence": 0.55}, {"digit": 9, "confidence": 0.43}]}
NOT_A_DIGIT = {"state": "not_a_digit", "digit": None, "confidence": None}
TIMES = " · ".join(
    rf"{name} [\d.]+\sms"
    for name in ("^reading the request", "preprocessing and network", "service in all", "round trip")
)
QUICK = 4  # of the digits, the one that the quick tests draw
QUIET_MS = 150  # long enough for a request that should not come


def expect_digit(page: Page, digit: int) -> None:
    expect(page.locator("#headline")).to_have_text(NAMES[digit])
    expect(page.locator("#glyph")).to_have_text(str(digit))
    expect(page.locator("#answer")).to_have_attribute("data-state", "digit")


def expect_blank(page: Page) -> None:
    expect(page.locator("#answer")).to_have_attribute("data-state", "blank")
    expect(page.locator("#headline")).to_have_text("Nothing drawn yet")
    expect(page.locator("#hint")).to_be_visible()
    expect(page.locator("#bars .share")).to_have_text(["\N{EN DASH}"] * 10)
    assert n_inked_pixels(page, "#ink") == 0


@pytest.mark.parametrize(
    "digit", [pytest.param(digit, marks=() if digit == QUICK else pytest.mark.slow) for digit in DIGITS]
)
def test_a_digit_drawn_with_the_mouse_is_read(page: Page, digit: int) -> None:
    draw(page, DIGITS[digit])
    expect_digit(page, digit)
    expect(page.locator("#bars .best .name")).to_have_text(str(digit))
    expect(page.locator("#detail")).to_have_text(re.compile(r"^\d+\.\d\s% confident$"))
    expect(page.locator("#speech")).to_have_text(re.compile(rf"^{NAMES[digit]}\. \d+\.\d\s% confident$"))


@pytest.mark.slow
@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_drawn_with_a_finger_is_read(page: Page, digit: int) -> None:
    draw_by_touch(page, DIGITS[digit])
    expect_digit(page, digit)


@pytest.mark.slow
def test_a_scribble_is_not_called_a_digit(page: Page) -> None:
    draw(page, SCRIBBLE)
    expect(page.locator("#headline")).to_have_text(re.compile(r"^(That is not a digit|\d or \d\?)$"))


@pytest.mark.parametrize(
    ("changes", "glyph", "headline", "detail", "offered"),
    [
        ({}, "4", "Four", "55.0 % confident", ["4"]),
        (UNSURE, "4?", "4 or 9?", "Not sure: 55.0 % for 4, 43.0 % for 9", ["4", "9"]),
        (NOT_A_DIGIT, "\N{MULTIPLICATION SIGN}", "That is not a digit", "Inkling reads one digit, 0 to 9.", []),
    ],
)
def test_each_answer_is_told_in_words_and_bars(
    page: Page, changes: dict[str, object], glyph: str, headline: str, detail: str, offered: list[str]
) -> None:
    answer = {**ANSWER, **changes}
    page.route("**/api/predict*", lambda route: route.fulfill(json=answer))
    draw(page, DIGITS[4])
    expect(page.locator("#answer")).to_have_attribute("data-state", str(answer["state"]))
    expect(page.locator("#glyph")).to_have_text(glyph)
    expect(page.locator("#headline")).to_have_text(headline)
    expect(page.locator("#detail")).to_have_text(detail)
    expect(page.locator("#speech")).to_have_text(f"{headline}. {detail}")
    expect(page.locator("#bars .best .name")).to_have_text(offered)
    shares = [f"{100 * share:.1f} %" for share in ANSWER["probabilities"]] if offered else ["\N{EN DASH}"] * 10
    expect(page.locator("#bars .share")).to_have_text(shares)


def test_the_answer_tells_what_the_network_saw_and_how_long_it_took(page: Page) -> None:
    draw(page, DIGITS[7])
    expect_digit(page, 7)
    assert n_inked_pixels(page, "#seen") > 30
    expect(page.locator("#box-story")).to_have_text(re.compile(r"^Your ink, \d+ . \d+ of 280 . 280 px"))
    expect(page.locator("#latency")).to_have_text(re.compile(TIMES))


def test_a_tap_draws_a_dot(page: Page) -> None:
    draw(page, [[(0.5, 0.5)]])
    expect(page.locator("#answer")).not_to_have_attribute("data-state", "blank")
    assert n_inked_pixels(page, "#ink") > 100


def test_undo_takes_back_one_stroke_at_a_time(page: Page) -> None:
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    n_first = n_inked_pixels(page, "#ink")
    draw(page, [[(0.2, 0.2), (0.8, 0.8)], [(0.8, 0.2), (0.2, 0.8)]])
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Undo").click()
    expect_digit(page, 1)
    assert n_inked_pixels(page, "#ink") == n_first
    page.keyboard.press("Control+z")
    expect_blank(page)


@pytest.mark.parametrize("way", ["button", "key"])
def test_clear_leaves_a_blank_sheet(page: Page, way: str) -> None:
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    if way == "button":
        page.get_by_role("button", name="Clear").click()
    else:
        page.keyboard.press("Escape")
    expect_blank(page)


@pytest.mark.slow
def test_the_drawing_stays_when_the_window_changes(page: Page) -> None:
    draw(page, DIGITS[8])
    page.set_viewport_size(PHONE)
    assert n_inked_pixels(page, "#ink") > 1000
    draw(page, [[(0.05, 0.95)]])
    page.keyboard.press("Control+z")
    expect_digit(page, 8)


def test_an_uploaded_image_is_read_and_shown(page: Page) -> None:
    draw(page, DIGITS[3])
    page.locator("#file").set_input_files({"name": "7.png", "mimeType": "image/png", "buffer": png_of(DIGITS[7])})
    expect_digit(page, 7)
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#box-story")).to_have_text(re.compile("of 200 . 200 px"))
    page.keyboard.press("Control+z")
    expect(page.locator("#picture")).to_be_hidden()
    expect_digit(page, 3)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_dropped_or_pasted_image_is_read(page: Page, event: str) -> None:
    give_file(page, event, png_of(DIGITS[2]))
    expect_digit(page, 2)
    expect(page.locator("#picture")).to_be_visible()


@pytest.mark.slow
def test_drawing_on_an_image_starts_anew(page: Page) -> None:
    draw(page, DIGITS[3])
    give_file(page, "drop", png_of(DIGITS[7]))
    expect_digit(page, 7)
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    expect(page.locator("#picture")).to_be_hidden()


def test_one_request_at_a_time_and_the_last_ink_is_always_answered(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/predict*", lambda route: held.append(route))
    draw(page, DIGITS[4])
    page.wait_for_timeout(QUIET_MS)
    assert len(held) == 1

    held.pop().continue_()
    page.wait_for_timeout(QUIET_MS)
    assert len(held) == 1

    held.pop().continue_()
    expect_digit(page, 4)
    page.wait_for_timeout(QUIET_MS)
    assert held == []


def test_an_answer_that_comes_after_clear_is_not_shown(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/predict*", lambda route: held.append(route))
    draw(page, DIGITS[2])
    page.keyboard.press("Escape")
    for route in held:
        route.continue_()
    page.wait_for_timeout(QUIET_MS)
    expect_blank(page)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (
            {"test_accuracy": 0.9961},
            "model 0a1b2c3d4e5f · trained on a few sheets · best guess right for 99.6 % of unseen MNIST digits",
        ),
        (
            {"test_accuracy": 0.5, "strokes_accuracy": 0.25},
            "model 0a1b2c3d4e5f · trained on a few sheets · best guess right for 50.0 % of unseen MNIST digits"
            " · 25.0 % of unseen writers' pen strokes",
        ),
    ],
)
def test_the_figures_are_the_cards(page: Page, metrics: dict[str, float], expected: str) -> None:
    card = {"version": "0a1b2c3d4e5f", "data": {"title": "a few sheets"}, "metrics": metrics}
    page.route("**/api/model", lambda route: route.fulfill(json=card))
    page.reload()
    expect(page.locator("#model-text")).to_have_text(expected)


def test_the_card_is_read_again_when_another_model_answers(page: Page) -> None:
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    expect(page.locator("#model-text")).not_to_have_text("model 0a1b2c3d4e5f")
    page.route("**/api/model", lambda route: route.fulfill(json={"version": "0a1b2c3d4e5f"}))
    page.route("**/api/predict*", lambda route: route.fulfill(json=ANSWER))
    draw(page, DIGITS[1])
    expect(page.locator("#model-text")).to_have_text("model 0a1b2c3d4e5f")


class TestOnAPhone:
    @pytest.fixture
    def viewport(self) -> ViewportSize:
        return PHONE

    def test_nothing_is_wider_than_the_window(self, page: Page) -> None:
        draw_by_touch(page, DIGITS[6])
        expect_digit(page, 6)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]

    def test_drawing_does_not_scroll_the_page(self, page: Page) -> None:
        draw_by_touch(page, DIGITS[1])
        expect_digit(page, 1)
        assert page.evaluate("window.scrollY") == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("changes", [{}, UNSURE, NOT_A_DIGIT])
    def test_nothing_moves_when_the_answer_comes(self, page: Page, changes: dict[str, object]) -> None:
        def change(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, json={**response.json(), **changes})

        expect(page.locator("#model")).to_have_attribute("data-state", "ready")
        before = page.locator("#bars").bounding_box(), page.locator("#seen").bounding_box()
        page.route("**/api/predict*", change)
        draw_by_touch(page, DIGITS[3])
        expect(page.locator("#answer")).to_have_attribute("data-state", str(changes.get("state", "digit")))
        assert (page.locator("#bars").bounding_box(), page.locator("#seen").bounding_box()) == before
