"""Several digits are read as a number, by mouse and by touch, whatever the order of their strokes."""

import base64
import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.digits import DIGITS, Stroke
from tests.e2e.hand import draw, draw_by_touch, n_inked_pixels

PHONE: ViewportSize = {"width": 360, "height": 560}
# A 7 with its crossbar, which is drawn last.
CROSSED = [*DIGITS[7], [(0.42, 0.52), (0.55, 0.51), (0.68, 0.50)]]


def beside(digits: list[list[Stroke]]) -> list[list[Stroke]]:
    """Put digits beside one another on the sheet."""
    scale = min(1.6 / len(digits), 0.7)
    left = 0.5 - 0.5 * scale * 0.55 * len(digits)
    return [
        [[(left + scale * (0.55 * place + x - 0.22), 0.5 + scale * (y - 0.5)) for x, y in stroke] for stroke in strokes]
        for place, strokes in enumerate(digits)
    ]


def expect_number(page: Page, text: str) -> None:
    expect(page.locator("#headline")).to_have_text(text)
    expect(page.locator("#answer")).to_have_attribute("data-state", "number")
    rows = page.locator("#number-digits li")
    expect(rows).to_have_text([re.compile(rf"^{digit}\d+\.\d\s%$") for digit in text])
    expect(page.locator("#number-marks span")).to_have_text(list(text))
    expect(page.locator("#bars")).to_be_hidden()
    expect(page.locator("#wrong")).to_be_hidden()


@pytest.mark.parametrize("text", ["42", "17", "10", "1947", "2026"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 800}])
def test_a_number_is_read_by_mouse_and_by_touch(page: Page, text: str) -> None:
    strokes = [stroke for digit in beside([DIGITS[int(digit)] for digit in text]) for stroke in digit]
    draw(page, strokes)
    expect_number(page, text)
    expect(page.locator("#detail")).to_contain_text("confident")
    expect(page.locator("#speech")).to_contain_text(f"{text}.")
    page.locator("#clear").click()
    expect(page.locator("#bars")).to_be_visible()
    expect(page.locator("#number-marks")).to_be_hidden()
    draw_by_touch(page, strokes)
    expect_number(page, text)


def test_the_order_of_the_strokes_does_not_matter(page: Page) -> None:
    four, seven = beside([DIGITS[4], CROSSED])
    for strokes in ([*seven, *four], [four[0], *seven, four[1]], [four[1], seven[0], four[0], seven[1]]):
        draw(page, strokes)
        expect_number(page, "47")
        page.locator("#clear").click()


@pytest.mark.parametrize("digit", [4, 5])
def test_a_single_digit_of_two_strokes_is_no_number(page: Page, digit: int) -> None:
    with page.expect_response("**/api/number"):
        draw(page, DIGITS[digit])
    expect(page.locator("#answer")).to_have_attribute("data-state", "digit")
    expect(page.locator("#number-digits")).to_be_hidden()


def test_it_is_asked_once_and_only_for_several_strokes(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/number" in request.url else None)
    one, zero = beside([DIGITS[1], DIGITS[0]])
    draw(page, one)
    expect(page.locator("#answer")).to_have_attribute("data-state", "digit")
    assert asked == []
    draw(page, zero)
    expect_number(page, "10")
    assert len(asked) == 1


def test_each_digit_has_its_colour_on_the_sheet_in_both_themes(page: Page) -> None:
    colours = """(canvas) => {
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const found = {};
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
        const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
        found[colour] = (found[colour] ?? 0) + 1;
      }
      return Object.keys(found).filter((colour) => found[colour] > 200);
    }"""
    draw(page, [stroke for digit in beside([DIGITS[4], DIGITS[2]]) for stroke in digit])
    expect_number(page, "42")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert n_inked_pixels(page, "#ink") > 0
        shown = page.locator("#number-digits li").evaluate_all(
            "(rows) => rows.map((row) => getComputedStyle(row).color)"
        )
        assert sorted(page.locator("#ink").evaluate(colours)) == sorted(shown)
        assert len(set(shown)) == 2
    draw(page, [[(0.1, 0.9), (0.12, 0.92)]])
    assert len(page.locator("#ink").evaluate(colours)) == 1


def test_the_network_shows_the_chosen_digit_of_a_number(page: Page) -> None:
    draw(page, [stroke for digit in beside([DIGITS[4], DIGITS[2]]) for stroke in digit])
    expect_number(page, "42")
    digits = page.get_by_role("group", name="Digit of the number").get_by_role("button")
    expect(digits).to_have_text(["4", "2"])
    expect(digits.first).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/api/network?layers=true"), page.expect_response("**/api/predict*") as response:
        digits.nth(1).click()
    assert response.value.json()["digit"] == 2
    expect(digits.nth(1)).to_have_attribute("aria-pressed", "true")
    seen = page.locator("#seen").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
    )
    assert bytes(seen) == base64.b64decode(response.value.json()["normalized"])
    page.get_by_role("button", name="Clear").click()
    expect(digits).to_have_count(0)


@pytest.mark.usefixtures("load_errors")
def test_without_an_answer_the_drawing_is_read_as_before(page: Page) -> None:
    page.route("**/api/number", lambda route: route.fulfill(status=404, json={"error": "no numbers"}))
    draw(page, [stroke for digit in beside([DIGITS[4], DIGITS[2]]) for stroke in digit])
    expect(page.locator("#headline")).to_have_text("Several things")
