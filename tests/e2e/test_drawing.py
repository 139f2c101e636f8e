"""The top of the page: its pens, its history, its samples, its links, its themes."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import DESKTOP
from tests.e2e.digits import DIGITS, NAMES
from tests.e2e.hand import draw, draw_by_pen, draw_by_touch, n_inked_pixels
from tests.e2e.states import LOAD_ERROR
from tests.e2e.test_page import expect_blank, expect_digit

LINK = re.compile(r"#ink=1[\w-]+$")


def theme_of(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.querySelector('#ink')).color")
    return "light" if colour == "rgb(24, 32, 58)" else "dark"


@pytest.mark.parametrize(
    "keys", ["Control+Shift+z", *(pytest.param(keys, marks=pytest.mark.slow) for keys in ("Control+y", "button"))]
)
def test_redo_brings_back_what_undo_took(page: Page, keys: str) -> None:
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    n_pixels = n_inked_pixels(page, "#ink")
    for _ in DIGITS[4]:
        page.keyboard.press("Control+z")
    expect_blank(page)
    for _ in DIGITS[4]:
        if keys == "button":
            page.get_by_role("button", name="Redo").click()
        else:
            page.keyboard.press(keys)
    expect_digit(page, 4)
    assert n_inked_pixels(page, "#ink") == n_pixels
    expect(page.locator("#redo")).to_have_attribute("aria-disabled", "true")


def test_undo_takes_clear_back(page: Page) -> None:
    draw(page, DIGITS[7])
    expect_digit(page, 7)
    page.keyboard.press("Escape")
    expect_blank(page)
    page.get_by_role("button", name="Undo").click()
    expect_digit(page, 7)


def test_keys_in_a_field_are_the_fields(page: Page) -> None:
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    page.evaluate(
        """() => {
          const field = document.createElement("input");
          field.id = "field";
          document.querySelector("#given-title").after(field);
          field.focus();
        }"""
    )
    for keys in ("Escape", "Control+z"):
        page.keyboard.press(keys)
    expect_digit(page, 1)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect_blank(page)


def test_escape_clears_at_the_sheet_alone(page: Page) -> None:
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    for focus in ("document.querySelector('#share').focus()", "document.querySelector('#correction').showModal()"):
        page.evaluate(focus)
        page.keyboard.press("Escape")
        expect_digit(page, 1)
    page.locator("#stage").focus()
    page.keyboard.press("Escape")
    expect_blank(page)


def test_a_touch_that_the_system_takes_away_leaves_no_ink(page: Page) -> None:
    draw(page, DIGITS[1])
    expect_digit(page, 1)
    n_pixels = n_inked_pixels(page, "#ink")
    box = page.locator("#ink").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    touch = [("touchStart", 0.1), ("touchMove", 0.5), ("touchMove", 0.9), ("touchCancel", None)]
    for kind, share in touch:
        points = [] if share is None else [{"x": box["x"] + share * box["width"], "y": box["y"] + 0.5 * box["height"]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect_digit(page, 1)
    assert n_inked_pixels(page, "#ink") == n_pixels
    expect(page.locator("#redo")).to_have_attribute("aria-disabled", "true")


def test_a_pen_draws_and_the_hand_beside_it_does_not(page: Page) -> None:
    draw_by_touch(page, [[(0.9, 0.9), (0.95, 0.9)]])
    page.keyboard.press("Escape")
    draw_by_pen(page, DIGITS[7])
    expect_digit(page, 7)
    n_pixels = n_inked_pixels(page, "#ink")
    draw_by_touch(page, [[(0.9, 0.9), (0.95, 0.9)]])
    assert n_inked_pixels(page, "#ink") == n_pixels

    page.get_by_role("button", name="Draw with a finger").click()
    expect(page.locator("#pen-mode")).to_be_hidden()
    draw_by_touch(page, [[(0.9, 0.9), (0.95, 0.9)]])
    assert n_inked_pixels(page, "#ink") > n_pixels


@pytest.mark.slow
def test_a_palm_that_lies_down_before_the_pen_leaves_no_ink(page: Page) -> None:
    page.evaluate(
        """() => {
          const ink = document.querySelector("#ink");
          ink.setPointerCapture = () => {};
          const { left, top, width, height } = ink.getBoundingClientRect();
          const point = (type, pointerType, x, y) =>
            ink.dispatchEvent(new PointerEvent(type, {
              pointerType, pointerId: pointerType === "pen" ? 8 : 9, isPrimary: true, button: 0,
              clientX: left + x * width, clientY: top + y * height,
            }));
          point("pointerdown", "touch", 0.9, 0.9);
          point("pointerdown", "pen", 0.2, 0.2);
          point("pointermove", "touch", 0.8, 0.9);
          point("pointermove", "pen", 0.4, 0.2);
          point("pointerup", "pen", 0.4, 0.2);
        }"""
    )
    expect(page.locator("#box-story")).to_have_text(re.compile("of 280 . 280 px"))
    n_pixels = n_inked_pixels(page, "#ink")
    page.keyboard.press("Control+z")
    expect_blank(page)
    draw(page, [[(0.2, 0.2), (0.4, 0.2)]])
    assert n_inked_pixels(page, "#ink") == pytest.approx(n_pixels, rel=0.01)


def test_a_sample_is_drawn_by_the_keyboard_alone(page: Page) -> None:
    sample = page.get_by_role("button", name="Draw a sample 5")
    sample.focus()
    page.keyboard.press("Enter")
    expect_digit(page, 5)
    expect(page.locator("#speech")).to_have_text(re.compile(r"^Five\. "))
    expect(sample).to_be_focused()
    page.keyboard.press("Control+z")
    expect_blank(page)


@pytest.mark.slow
@pytest.mark.parametrize("digit", DIGITS)
def test_every_sample_is_read(page: Page, digit: int) -> None:
    page.get_by_role("button", name=f"Draw a sample {digit}").click()
    expect(page.locator("#speech")).to_have_text(re.compile(rf"^{NAMES[digit]}\. "))


@pytest.mark.slow
def test_without_motion_a_sample_is_there_at_once(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/api/predict" in request.url else None)
    page.get_by_role("button", name="Draw a sample 8").click()
    expect_digit(page, 8)
    assert len(answers) == 1


def test_a_shared_link_brings_the_drawing_back(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    with page.expect_request("**/api/predict*") as sent:
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+y")
    expect_digit(page, 4)
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#share-name")).to_have_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert LINK.search(link)

    opened = page.context.new_page()
    uploads: list[str] = []
    opened.on("request", lambda request: uploads.append(request.url) if request.method == "POST" else None)
    opened.goto(link)
    expect(opened.locator("#speech")).to_have_text(re.compile(r"^Four\. "))
    assert uploads
    assert {url.split("?")[0] for url in uploads} == {sent.value.url.split("?")[0]}
    assert all("ink" not in url for url in uploads)
    assert n_inked_pixels(opened, "#ink") == pytest.approx(n_inked_pixels(page, "#ink"), rel=0.02)
    opened.reload()
    expect(opened.locator("#speech")).to_have_text(re.compile(r"^Four\. "))
    draw(opened, [[(0.9, 0.9)]])
    assert not LINK.search(opened.url)


@pytest.mark.parametrize("code", ["1!!", pytest.param("", marks=pytest.mark.slow)])
def test_a_damaged_link_is_told_and_the_sheet_can_be_used(page: Page, service: str, code: str) -> None:
    page.goto(f"{service}/#ink={code}")
    expect(page.locator("#detail")).to_have_text(
        "The drawing in this link is damaged. Ask for the link once more, or draw."
    )
    assert n_inked_pixels(page, "#ink") == 0
    draw(page, DIGITS[1])
    expect_digit(page, 1)


def test_the_theme_follows_the_system_until_the_visitor_chooses(page: Page) -> None:
    button = page.locator("#theme")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert theme_of(page) == scheme
    bars = page.locator("meta[name=theme-color]")
    of_system = bars.evaluate_all("(bars) => bars.map(({ content }) => content)")
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Dark theme")
    assert theme_of(page) == "dark"
    page.reload()
    assert theme_of(page) == "dark"
    assert bars.evaluate_all("(bars) => bars.map(({ content }) => content)") == [of_system[1]] * 2
    page.goto(f"{page.url}docs")
    expect(button).to_have_accessible_name("Dark theme")
    button.click()
    expect(button).to_have_accessible_name("System theme")
    assert bars.evaluate_all("(bars) => bars.map(({ content }) => content)") == of_system
    page.go_back()
    page.reload()
    assert theme_of(page) == "light"


@pytest.mark.slow
def test_the_ink_takes_the_colour_of_a_new_theme(page: Page) -> None:
    draw(page, [[(0.5, 0.5)]])
    colours = []
    for _ in range(2):
        page.locator("#theme").click()
        colours.append(
            page.locator("#ink").evaluate(
                """async (canvas) => {
                  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
                  const [red] = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
                  return red;
                }"""
            )
        )
    light, dark = colours
    assert light < 128 < dark


@pytest.mark.slow
def test_a_banner_stands_while_the_service_is_away_and_goes_by_itself(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)
    expect(page.locator("#model-state")).to_have_text("Model active")
    expect(page.locator("#banner")).to_be_hidden()
    sheet = page.locator("#stage").bounding_box()
    page.route("**/api/*", lambda route: route.abort())
    draw(page, DIGITS[6])
    expect(page.locator("#banner")).to_be_visible()
    expect(page.locator("#banner")).to_contain_text("The service cannot be reached.")
    expect(page.locator("#model-state")).to_be_hidden()
    assert page.locator("#stage").bounding_box() == sheet
    page.unroute("**/api/*")
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#model-state")).to_have_text("Model active")
    expect_digit(page, 6)


class TestOnAPhone:
    @pytest.fixture
    def viewport(self) -> ViewportSize:
        return {"width": 360, "height": 740}

    def test_the_answer_is_in_the_first_screen(self, page: Page) -> None:
        box = page.locator("#headline").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 740

    @pytest.mark.slow
    def test_a_sample_brings_the_sheet_into_view(self, page: Page) -> None:
        page.get_by_role("button", name="Draw a sample 9").click()
        expect_digit(page, 9)
        expect(page.locator("#stage")).to_be_in_viewport(ratio=1)
        expect(page.locator("#headline")).to_be_in_viewport(ratio=1)


def test_the_sheet_and_the_answer_are_in_the_first_screen(page: Page) -> None:
    for part in ("#stage", "#answer", "#samples"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < DESKTOP["height"]
