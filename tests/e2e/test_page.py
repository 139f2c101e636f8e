"""The page in a real browser, with the real service and the committed model: answers, images and requests."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.e2e.answers import (
    ANSWER,
    NOT_A_DIGIT,
    QUIET_MS,
    UNSURE,
    change_answers,
    expect_blank,
    expect_digit,
    expect_ready,
    expect_state,
    hold,
    replace_answers,
    serve_card,
)
from tests.e2e.conftest import PHONE
from tests.e2e.digits import DIGITS, NAMES
from tests.e2e.hand import draw, draw_by_touch, give_file, n_inked_pixels, png_of, upload

SEVEN = png_of(DIGITS[7])
DOT = [[(0.5, 0.5)]]
TIMES = " · ".join(
    rf"{name} [\d.]+\sms"
    for name in ("^reading the request", "preprocessing and network", "with the way there and back")
)
FIGURES = {"test_accuracy": 0.123}
WINDOWS = [
    (360, 560), (390, 664), (412, 732), (560, 360), (740, 360), (820, 1180), (1280, 720), (1440, 900), (1920, 1080)
]  # fmt: skip
REPLAY_MS = 800  # a little longer than the replay of a sample


def test_a_drawn_digit_is_read(page: Page) -> None:
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    expect(page.locator("#bars .best .name")).to_have_text("4")
    expect(page.locator("#speech")).to_have_text(re.compile(r"^Four\. \d+\.\d\s% confident$"))
    assert n_inked_pixels(page, "#seen") > 30
    expect(page.locator("#box-story")).to_have_text(re.compile(r"^Your ink, \d+ . \d+ of 112 . 112 px"))
    expect(page.locator("#latency-total")).to_have_text(re.compile(r"^The service answered in [\d.]+\sms$"))
    expect(page.locator("#latency-parts")).to_have_text(re.compile(TIMES))


@pytest.mark.parametrize("size", WINDOWS, ids=str)
def test_sheet_verdict_and_tools_are_in_the_window(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for strokes in ([], DIGITS[4]):
        draw(page, strokes)
        expect(page.locator("#glyph")).to_have_text("4" if strokes else "")
        for part in ("#stage", ".verdict", "#bars", ".tools"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert min(box["x"], box["y"]) >= 0
            assert box["x"] + box["width"] <= size[0], part
            assert box["y"] + box["height"] <= size[1], part


def test_the_words_change_only_when_the_pen_is_lifted(page: Page) -> None:
    page.evaluate(
        """() => {
          window.changes = [];
          let isDown = false;
          for (const type of ["pointerdown", "pointerup"]) {
            addEventListener(type, () => { isDown = type === "pointerdown"; }, { capture: true });
          }
          const headline = document.querySelector("#headline");
          new MutationObserver(() => changes.push(isDown)).observe(headline, { childList: true });
        }"""
    )
    for digit in (4, 3, 5, 7):
        draw(page, DIGITS[digit])
        expect_digit(page, digit)
        assert len(page.evaluate("changes")) <= len(DIGITS[digit])
        page.locator("#ink").hover(position={"x": 200, "y": 100})
        page.mouse.down()
        expect(page.locator("#answer")).to_have_class("answer dim")
        expect(page.locator("#headline")).to_have_text(NAMES[digit])
        page.mouse.up()
        assert not any(page.evaluate("changes"))
        page.keyboard.press("Escape")
        expect_blank(page)
        page.evaluate("changes.length = 0")


def test_each_state_has_its_words_and_bars_with_the_cards_classes(tab: Page, card: dict[str, Any]) -> None:
    page, classes = tab, list("abcdefghijkl")
    serve_card(page, card | {"classes": classes, "service": {"collects": True}})
    page.goto("/")
    expect(page.locator("#bars .name")).to_have_text(classes)
    expect(page.locator("#correction-digits button")).to_have_text(classes)
    answers: list[tuple[dict[str, Any], str, list[str]]] = [
        ({}, "e", ["e"]),
        (UNSURE, "e?", ["e", "j"]),
        (NOT_A_DIGIT, "\N{MULTIPLICATION SIGN}", []),
    ]
    for changes, glyph, offered in answers:
        answer = {**ANSWER, "probabilities": [*ANSWER["probabilities"], 0, 0], **changes}
        replace_answers(page, answer)
        draw(page, DOT)
        expect_state(page, answer["state"])
        expect(page.locator("#glyph")).to_have_text(glyph)
        texts = [page.locator(name).text_content() for name in ("#headline", "#detail")]
        expect(page.locator("#speech")).to_have_text(". ".join(map(str, texts)))
        expect(page.locator("#bars .best .name")).to_have_text(offered)
        shares = [
            f"{100 * share:.1f} %" if name in offered else ""
            for name, share in zip(classes, answer["probabilities"], strict=False)
        ]
        expect(page.locator("#bars .share")).to_have_text(shares)
        page.keyboard.press("Escape")


@pytest.mark.workflow
@pytest.mark.usefixtures("load_errors")
def test_images_are_read_until_the_sheet_gets_new_ink(page: Page) -> None:
    picture, unshown = page.locator("#picture"), page.locator("#unshown")
    draw(page, DIGITS[3])
    upload(page, SEVEN)
    expect_digit(page, 7)
    expect(picture).to_be_visible()
    expect(page.locator("#box-story")).to_have_text(re.compile("of 200 . 200 px"))
    upload(page, b"seven", "a.png")
    expect(page.locator("#detail")).to_contain_text("This file is no image that can be read.")
    expect(unshown).to_have_text("a.png")
    expect(picture).to_be_hidden()
    expect(page.locator("#ask-again")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect_digit(page, 3)
    expect(unshown).to_be_hidden()
    for event, digit in (("drop", 2), ("paste", 7)):
        give_file(page, event, png_of(DIGITS[digit]))
        expect_digit(page, digit)
        expect(picture).to_be_visible()
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    expect(picture).to_be_hidden()


@pytest.mark.workflow
def test_no_answer_is_shown_after_clear(page: Page) -> None:
    held = hold(page)
    draw(page, [[(0.2, 0.2)]])
    page.keyboard.press("Escape")
    for route in held:
        route.continue_()
    page.wait_for_timeout(QUIET_MS)
    expect_blank(page)


@pytest.mark.workflow
def test_the_card_of_a_new_model_is_requested_once(page: Page, card: dict[str, Any]) -> None:
    expect_ready(page)
    cards: list[Route] = []

    def serve_other_card(route: Route) -> None:
        cards.append(route)
        route.fulfill(json=card | {"version": ANSWER["model_version"], "metrics": card["metrics"] | FIGURES})

    page.route("**/api/model", serve_other_card)
    for digit in (1, 7):
        replace_answers(page, ANSWER)
        draw(page, DOT)
        expect(page.locator("#detail")).to_have_text("55.0 % confident")
        expect(page.locator("#model-text")).to_contain_text("12.3 %")
        page.unroute("**/api/predict*")
        page.keyboard.press("Escape")
        draw(page, DIGITS[digit])
        expect_digit(page, digit)
        page.keyboard.press("Escape")
    assert len(cards) == 1


@pytest.mark.slow
@pytest.mark.parametrize("way", ["replay", "pen"])
def test_an_image_ends_an_unfinished_drawing(page: Page, way: str) -> None:
    if way == "replay":
        page.emulate_media(reduced_motion="no-preference")
        page.locator("#samples button").first.evaluate("button => button.click()")
    else:
        page.locator("#ink").hover(position={"x": 50, "y": 50})
        page.mouse.down()
    give_file(page, "drop", SEVEN)
    if way == "pen":
        page.locator("#ink").hover(position={"x": 150, "y": 150})
        page.mouse.up()
    expect_digit(page, 7)
    page.wait_for_timeout(REPLAY_MS)
    expect_digit(page, 7)
    expect(page.locator("#picture")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE])
def test_a_phone_shows_the_answer_beside_the_sheet(page: Page, viewport: ViewportSize) -> None:
    headline = page.locator("#headline")
    expect(headline).to_be_in_viewport(ratio=1)
    expect_ready(page)
    before = page.locator("#bars").bounding_box(), page.locator("#seen").bounding_box()
    for changes, strokes in ((UNSURE, DOT), (NOT_A_DIGIT, DOT), ({}, DIGITS[6])):
        page.keyboard.press("Escape")
        change_answers(page, changes)
        draw_by_touch(page, strokes)
        expect_state(page, str(changes.get("state", "digit")))
        assert (page.locator("#bars").bounding_box(), page.locator("#seen").bounding_box()) == before, "nothing moves"
    expect_digit(page, 6)
    assert page.evaluate("[document.documentElement.scrollWidth, window.scrollY]") == [PHONE["width"], 0]
    page.get_by_role("button", name="Draw a sample 9").click()
    expect_digit(page, 9)
    expect(page.locator("#stage")).to_be_in_viewport(ratio=1)
    expect(headline).to_be_in_viewport(ratio=1)
