"""The explanations on the visitor's own ink: the preprocessing, the network's layers, and the resized canvas."""

import base64
import gzip
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, expect

from tests.e2e.answers import DASH, QUIET_MS, expect_digit, hold
from tests.e2e.digits import DIGITS, Stroke
from tests.e2e.hand import draw, n_inked_pixels

STAGES = ("drawing", "polarity", "box", "fit", "mass", "tensor")
N_BYTES = 28 * 28
TIMES = "\N{MULTIPLICATION SIGN}"
IS_PAINTED = """(canvases) => canvases.some((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 < 3 && value > 0);
})"""


def draw_and_read(page: Page, strokes: list[Stroke]) -> dict[str, Any]:
    draw(page, strokes[:-1])
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response) if "/api/predict" in response.url else None)
    draw(page, strokes[-1:])
    page.wait_for_timeout(QUIET_MS)
    answer: dict[str, Any] = responses[-1].json()
    return answer


def network_requests(page: Page, query: str) -> list[Request]:
    """Return the growing list of the requests to the network: with its maps, or without a query for the comparison."""
    found: list[Request] = []
    wanted = ("/api/network", query)
    page.on("request", lambda request: found.append(request) if urlsplit(request.url)[2:4] == wanted else None)
    return found


def grids_of(request: Request) -> bytes:
    return gzip.decompress(request.post_data_buffer or b"")


def look_inside(page: Page) -> None:
    page.get_by_text("Look inside").click()
    expect(page.locator("#inside-body")).to_be_visible()


@pytest.mark.workflow
def test_the_steps_and_the_resized_canvas(page: Page) -> None:
    # Small, at the lower right.
    answer = draw_and_read(page, [[(0.58 + 0.4 * x, 0.58 + 0.4 * y) for x, y in stroke] for stroke in DIGITS[5]])
    expect_digit(page, 5)
    page.locator("#steps").scroll_into_view_if_needed()
    box = answer["box"]
    width, height = (round(box[high] - box[low]) for low, high in (("left", "right"), ("top", "bottom")))
    expect(page.locator("#box-fact")).to_have_text(f"{width} {TIMES} {height} px of ink")
    zoom = float(re.findall(r"px, ([\d.]+) times as large$", page.locator("#drawing-fact").inner_text())[0])
    mark = float(page.locator("#box-mark").get_attribute("width") or 0)
    assert mark == pytest.approx(zoom * (box["right"] - box["left"]), rel=0.05)
    expect(page.locator("#fit-fact")).to_have_text(re.compile(rf"^\d+ {TIMES} 20 px$"))
    expect(page.locator("#polarity-fact")).to_have_text("Dark ground: kept")
    for stage in STAGES:
        assert n_inked_pixels(page, f"#{stage}-canvas") > 30
    seen = page.locator("#tensor-canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
    )
    assert bytes(seen) == base64.b64decode(answer["normalized"])
    expect(page.locator("#ours-reading")).to_have_text(re.compile(r"^Read as 5 \(\d+\.\d\s%\)$"))
    # Ink so small and so far from the middle is not read correctly.
    expect(page.locator("#squeezed-reading")).to_have_text(re.compile(r"^Read as (?!5 \()"))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#squeezed-reading")).to_have_text(DASH)
    expect(page.locator(".fact")).to_have_text([DASH] * 6)
    for stage in STAGES:
        assert n_inked_pixels(page, f"#{stage}-canvas") == 0


CHANGE_CLOCK = """(factor) => {
  const now = performance.now.bind(performance);
  performance.now = () => factor * now();
}"""


@pytest.mark.workflow
def test_maps_follow_the_pen_and_the_deciding_part_glows_at_its_end(page: Page) -> None:
    requests = network_requests(page, "layers=true")
    expect(page.locator("#live-layers li")).to_have_count(5)
    page.wait_for_timeout(700)  # longer than the pause between two requests, by the page's clock
    page.evaluate(CHANGE_CLOCK, 0.1)  # no answer is slow
    page.locator("#ink").hover(position={"x": 150, "y": 100})
    page.mouse.down()
    for y in range(110, 350, 20):
        page.mouse.move(170, y)
        page.wait_for_timeout(20)
    expect(page.locator("#latency")).to_be_visible()
    page.wait_for_timeout(QUIET_MS)
    for tiles in page.locator(".live-maps").all():
        assert tiles.locator("canvas").evaluate_all(IS_PAINTED)
    assert {len(grids_of(request)) for request in requests} == {N_BYTES}
    expect(page.locator("#why")).to_have_text("")
    page.mouse.up()
    page.keyboard.press("Escape")
    draw(page, DIGITS[9])
    expect_digit(page, 9)
    story = re.compile(r"^(Without its [a-z ]+ part it would|It stays 9|No single)")
    expect(page.locator("#why")).to_have_text(story)
    expect(page.locator("#glow")).to_be_visible(visible=page.locator("#why").inner_text().startswith("Without"))
    n_requests = len(requests)
    grids = grids_of(requests[-1])
    assert 20 * N_BYTES < len(grids) <= 256 * N_BYTES
    assert len(requests[-1].post_data_buffer or b"") < 10 * N_BYTES
    look_inside(page)
    assert len(requests) == n_requests
    expect(page.locator("#inside-price")).to_contain_text(f" {len(grids) // N_BYTES - 1} more times")
    expect(page.locator("#hold-story")).to_have_text(story)
    assert n_inked_pixels(page, "#heat-canvas") > 30
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#inside-note")).to_have_text("Draw a digit first.")


@pytest.mark.workflow
def test_when_answers_are_slow_no_maps_of_earlier_ink_stay(page: Page) -> None:
    tiles = page.locator(".live-maps canvas")
    page.evaluate(CHANGE_CLOCK, 1000)
    draw(page, DIGITS[3])
    expect(page.locator("#why")).not_to_have_text("")
    assert tiles.evaluate_all(IS_PAINTED)
    page.locator("#ink").hover(position={"x": 150, "y": 100})
    with page.expect_response("**/api/predict*"):
        page.mouse.down()
        page.mouse.move(170, 300)
    page.wait_for_timeout(QUIET_MS)
    assert not tiles.evaluate_all(IS_PAINTED)
    page.mouse.up()
    expect(page.locator("#why")).not_to_have_text("")
    assert tiles.evaluate_all(IS_PAINTED)


@pytest.mark.slow
def test_the_tensors_values_are_read_by_keyboard_and_by_pointing(page: Page) -> None:
    levels = base64.b64decode(draw_and_read(page, DIGITS[0])["normalized"])
    tensor = page.locator("#tensor-canvas")
    tensor.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(tensor).to_have_attribute("aria-valuetext", f"row 14, column 14: {levels[13 * 28 + 13]}")
    expect(page.locator("#tensor-fact")).to_have_text(f"row 14, column 14: {levels[13 * 28 + 13]}")
    darkest = levels.index(max(levels))
    bounds = tensor.bounding_box()
    assert bounds is not None
    x, y = ((place + 0.5) / 28 for place in (darkest % 28, darkest // 28))
    tensor.hover(position={"x": x * bounds["width"], "y": y * bounds["height"]})
    text = f"row {darkest // 28 + 1}, column {darkest % 28 + 1}: {max(levels)}"
    expect(tensor).to_have_attribute("aria-valuetext", text)


@pytest.mark.slow
def test_squares_are_chosen_by_keyboard(page: Page) -> None:
    draw(page, DIGITS[4])
    look_inside(page)
    heat, mark = page.locator("#heat-canvas"), page.locator("#hole-mark")
    heat.focus()
    page.keyboard.press("ArrowLeft")
    reading = page.locator("#hole-reading")
    expect(reading).to_have_text(re.compile(r"^Without this square: "))
    corner = mark.get_attribute("x")
    for _ in range(27):
        page.keyboard.press("ArrowRight")
    assert mark.get_attribute("x") != corner
    expect(heat).to_have_attribute("aria-valuetext", reading.text_content() or "")


@pytest.mark.workflow
def test_a_map_is_explained_by_its_kernel(page: Page) -> None:
    draw(page, DIGITS[4])
    expect(page.locator("#why")).not_to_have_text("")
    layer, dialog = page.locator("#live-layers li").nth(1), page.locator("#kernel")
    layer.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    chosen = layer.get_by_role("button").nth(1)
    expect(chosen).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading")).to_have_text(f"{chosen.get_attribute('aria-label')} of layer 2")
    expect(dialog.locator("#kernel-story")).to_contain_text(f"4 {TIMES} 4 weights")
    canvases = dialog.locator("canvas")
    assert [each.evaluate("canvas => canvas.width") for each in canvases.all()] == [26, 4] * 3 + [12]
    assert canvases.evaluate_all(IS_PAINTED)
    made, frames = canvases.last, dialog.locator("li .cursor")
    made.focus()
    for key in ["ArrowUp", "ArrowLeft"] * 12 + ["ArrowDown", "ArrowRight", "ArrowRight"]:
        page.keyboard.press(key)
    # The stride is 2: the kernel's third place in the second row.
    for frame in frames.all():
        assert (frame.get_attribute("x"), frame.get_attribute("y")) == ("4", "2")
    expect(made).to_have_attribute("aria-valuetext", dialog.locator("#kernel-sum").inner_text())
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_the_deciding_part_is_found_when_the_card_comes_after_the_answer(tab: Page) -> None:
    held = hold(tab, "**/api/model")
    tab.goto("/")
    draw(tab, DIGITS[9])
    expect_digit(tab, 9)
    expect(tab.locator("#why")).to_have_text("")
    held.pop().continue_()
    expect(tab.locator("#why")).not_to_have_text("")


@pytest.mark.slow
def test_each_explanation_is_requested_once_after_a_stroke(page: Page) -> None:
    draw(page, DIGITS[1])
    look_inside(page)
    # A window with the sheet and the explanations in view.
    page.set_viewport_size({"width": 1280, "height": 5000})
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#squeezed-reading")).to_contain_text("Read as")
    maps, squeezed = network_requests(page, "layers=true"), network_requests(page, "")
    draw(page, [[(0.2, 0.2), (0.3, 0.3), (0.4, 0.3), (0.6, 0.4), (0.7, 0.7)]])
    expect(page.locator("#why")).not_to_have_text("")
    page.wait_for_timeout(QUIET_MS)
    assert [len(grids_of(request)) > N_BYTES for request in maps].count(True) == 1
    assert len(squeezed) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("load_errors")
def test_failed_explanations_are_shown_after_an_outage(page: Page) -> None:
    for route in ("**/api/network*", "**/api/model"):
        page.route(route, lambda route: route.fulfill(status=500, json={"error": "A name in the code."}))
    page.set_viewport_size({"width": 1280, "height": 5000})  # both explanations are in view
    page.get_by_text("Look inside").click()
    page.evaluate("scrollTo(0, 0)")
    draw(page, DIGITS[8])
    expect_digit(page, 8)
    expect(page.locator("#inside-note")).to_have_text("The service has a fault.")
    expect(page.locator("#squeeze-note")).to_have_text("The service has a fault.")
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#banner")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#inside-body")).to_be_visible()
    expect(page.locator("#squeezed-reading")).to_contain_text("Read as")
