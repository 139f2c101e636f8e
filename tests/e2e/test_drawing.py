"""Input on the page: pens, undo, keys, samples, links and themes."""

import contextlib
import re

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.e2e.answers import expect_blank, expect_digit
from tests.e2e.conftest import PHONE
from tests.e2e.digits import DIGITS, NAMES
from tests.e2e.hand import draw, draw_by_pen, draw_by_touch, n_inked_pixels

LINK = re.compile(r"#ink=1[\w-]+$")
CORNER = [[(0.9, 0.9), (0.95, 0.9)]]


def theme_of(page: Page) -> str:
    # By the colour of a dot in the middle of the sheet.
    red: int = page.locator("#ink").evaluate(
        """async (canvas) => {
          await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
          return canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0];
        }"""
    )
    return "light" if red < 128 else "dark"


def test_undo_redo_and_clear_by_key_and_button(page: Page) -> None:
    def press(name: str) -> None:
        page.get_by_role("button", name=name).click()

    draw(page, DIGITS[4])
    expect_digit(page, 4)
    n_pixels = n_inked_pixels(page, "#ink")
    page.keyboard.press("Control+z")
    press("Undo")
    expect_blank(page)
    page.keyboard.press("Control+Shift+z")
    press("Redo")
    expect_digit(page, 4)
    assert n_inked_pixels(page, "#ink") == n_pixels
    expect(page.locator("#redo")).to_have_attribute("aria-disabled", "true")
    for clear in (lambda: page.locator("#stage").press("Escape"), lambda: press("Clear")):
        clear()
        expect_blank(page)
        page.keyboard.press("Control+z")
        expect_digit(page, 4)
    page.keyboard.press("Control+z")
    page.set_viewport_size(PHONE)  # the drawing stays
    page.keyboard.press("Control+y")
    expect_digit(page, 4)
    assert n_inked_pixels(page, "#ink") > 1000


@pytest.mark.workflow
def test_samples_work_by_keyboard_and_keys_elsewhere_do_not_change_the_drawing(page: Page) -> None:
    sample = page.get_by_role("button", name="Draw a sample 5")
    sample.press("Enter")
    expect(page.locator("#sample-note")).to_be_visible()
    expect(page.locator("#speech")).to_have_text(re.compile(r"^Five\. "))
    expect_digit(page, 5)
    expect(sample).to_be_focused()
    page.evaluate("const field = document.createElement('input'); document.body.append(field); field.focus()")
    for keys in ("Escape", "Control+z"):
        page.keyboard.press(keys)
    for focus in ("document.querySelector('#share').focus()", "document.querySelector('#correction').showModal()"):
        page.evaluate(focus)
        page.keyboard.press("Escape")
    expect_digit(page, 5)
    page.locator("#stage").press("Escape")
    expect_blank(page)


def test_a_pen_disables_fingers_and_a_cancelled_touch_leaves_no_ink(page: Page) -> None:
    draw_by_touch(page, CORNER)
    page.keyboard.press("Escape")
    draw_by_pen(page, DIGITS[7])
    expect_digit(page, 7)
    n_pixels = n_inked_pixels(page, "#ink")
    draw_by_touch(page, CORNER)
    assert n_inked_pixels(page, "#ink") == n_pixels

    page.get_by_role("button", name="Draw with a finger").click()
    expect(page.locator("#pen-mode")).to_be_hidden()
    draw_by_touch(page, [[(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)]], end="touchCancel")
    assert n_inked_pixels(page, "#ink") == n_pixels
    expect(page.locator("#redo")).to_have_attribute("aria-disabled", "true")
    draw_by_touch(page, CORNER)
    assert n_inked_pixels(page, "#ink") > n_pixels


def point(page: Page, *events: tuple[str, str, int, float, float, int]) -> None:
    """Send pointer events: kind, type and ID of the pointer, x and y on the sheet, and the pressed buttons."""
    page.locator("#ink").evaluate(
        """(ink, events) => {
          ink.setPointerCapture = () => {};
          const { left, top, width, height } = ink.getBoundingClientRect();
          for (const [kind, pointerType, pointerId, x, y, buttons] of events) {
            const [clientX, clientY] = [left + x * width, top + y * height];
            const options = { pointerType, pointerId, button: 0, buttons, clientX, clientY, bubbles: true };
            ink.dispatchEvent(new PointerEvent(`pointer${kind}`, options));
          }
        }""",
        events,
    )


@pytest.mark.parametrize(
    "events",
    [
        [("down", "touch", 9, 0.9, 0.9, 1), ("down", "pen", 8, 0.2, 0.2, 1), ("move", "touch", 9, 0.8, 0.9, 1),
         ("move", "pen", 8, 0.4, 0.2, 1), ("up", "pen", 8, 0.4, 0.2, 0)],
        [("down", "touch", 9, 0.9, 0.9, 1), ("down", "touch", 8, 0.2, 0.2, 1), ("move", "touch", 9, 0.8, 0.9, 1),
         ("move", "touch", 8, 0.4, 0.2, 1), ("up", "touch", 8, 0.4, 0.2, 0)],
        [("down", "mouse", 1, 0.2, 0.2, 1), ("move", "mouse", 1, 0.4, 0.2, 3), ("move", "mouse", 1, 0.6, 0.2, 2),
         ("move", "mouse", 1, 0.8, 0.2, 2), ("up", "mouse", 1, 0.8, 0.2, 0)],
    ],
    ids=["palm", "thumb", "right button"],
)  # fmt: skip
def test_only_the_pen_leaves_ink(page: Page, events: list[tuple[str, str, int, float, float, int]]) -> None:
    point(page, *events)
    expect(page.locator("#undo")).to_have_attribute("aria-disabled", "false")
    n_pixels = n_inked_pixels(page, "#ink")
    page.keyboard.press("Control+z")
    expect_blank(page)
    draw(page, [[(0.2, 0.2), (0.4, 0.2)]])
    assert n_inked_pixels(page, "#ink") == pytest.approx(n_pixels, rel=0.01)


def test_a_second_finger_drops_the_stroke(page: Page) -> None:
    point(page, ("down", "touch", 9, 0.2, 0.2, 1), ("move", "touch", 9, 0.6, 0.2, 1), ("down", "touch", 8, 0.5, 0.8, 1),
          ("move", "touch", 9, 0.9, 0.2, 1), ("move", "touch", 8, 0.1, 0.8, 1))  # fmt: skip
    expect_blank(page)


def test_a_reload_keeps_the_drawing_and_the_next_stroke_replaces_a_sample(page: Page) -> None:
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    page.reload()
    expect_digit(page, 4)
    page.keyboard.press("6")
    expect_digit(page, 6)
    draw(page, DIGITS[7])
    expect_digit(page, 7)
    expect(page.locator("#sample-note")).to_be_hidden()
    page.keyboard.press("Escape")
    page.reload()
    expect_blank(page)
    page.emulate_media(reduced_motion="no-preference")
    for _ in range(2):  # a sample is not kept
        page.reload()
        expect_digit(page, 2)
    draw(page, DIGITS[7])
    expect_digit(page, 7)


@pytest.mark.slow
def test_every_sample_is_read_at_once_with_reduced_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/api/predict" in request.url else None)
    for digit in DIGITS:
        page.get_by_role("button", name=f"Draw a sample {digit}").click()
        expect(page.locator("#speech")).to_have_text(re.compile(rf"^{NAMES[digit]}\. "))
    assert len(requests) == len(DIGITS)


@pytest.mark.workflow
def test_a_shared_link_opens_the_drawing_and_a_damaged_one_is_reported(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    draw(page, DIGITS[4])
    expect_digit(page, 4)
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#notice")).to_have_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert LINK.search(link)

    opened = page.context.new_page()
    uploads: list[str] = []
    opened.on("request", lambda request: uploads.append(request.url) if request.method == "POST" else None)
    opened.goto(link)
    expect(opened.locator("#speech")).to_have_text(re.compile(r"^Four\. "))
    expect(opened.locator("#why")).not_to_have_text("")
    assert {url.partition("?")[0].rpartition("/")[2] for url in uploads} == {"predict", "network", "number"}
    assert all("ink" not in url for url in uploads)
    assert n_inked_pixels(opened, "#ink") == pytest.approx(n_inked_pixels(page, "#ink"), rel=0.02)
    held: list[Route] = []
    opened.route("**/api/predict*", lambda route: held.append(route))
    with opened.expect_request("**/api/predict*"):
        draw(opened, [[(0.9, 0.9)]])
    assert not LINK.search(opened.url)
    opened.goto("/#ink=1!!")
    damaged = "The drawing in this link is damaged. Ask for the link once more, or draw."
    expect(opened.locator("#detail")).to_have_text(damaged)
    with contextlib.suppress(Error):  # the page has dropped the request
        held[0].continue_()
    opened.wait_for_timeout(300)  # long enough for the answer to the dot, which must not replace the message
    expect(opened.locator("#detail")).to_have_text(damaged)


@pytest.mark.workflow
def test_the_theme_follows_the_system_until_the_visitor_chooses(page: Page) -> None:
    button = page.locator("#theme")
    bars = page.locator("meta[name=theme-color]")
    draw(page, [[(0.5, 0.5)]])
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert theme_of(page) == scheme
    of_system = bars.evaluate_all("(bars) => bars.map(({ content }) => content)")
    button.click()
    button.click()
    assert theme_of(page) == "dark"
    page.goto("/docs")
    expect(button).to_have_accessible_name("Dark theme")
    assert bars.evaluate_all("(bars) => bars.map(({ content }) => content)") == [of_system[1]] * 2
    button.click()
    expect(button).to_have_accessible_name("System theme")
    assert bars.evaluate_all("(bars) => bars.map(({ content }) => content)") == of_system
    assert page.evaluate("localStorage.getItem('theme')") is None
