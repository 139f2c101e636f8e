"""What the page explains, on the visitor's own ink: from ink to tensor, and what the network sees."""

import base64
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, Route, ViewportSize, expect

from tests.e2e.digits import DIGITS, SCRIBBLE, Stroke
from tests.e2e.hand import draw, give_file, n_inked_pixels, png_of

PHONE: ViewportSize = {"width": 360, "height": 740}
STAGES = ("drawing", "polarity", "box", "fit", "mass", "tensor")
MEASURED = ("polarity", "box", "fit", "mass")
QUIET_MS = 150  # long enough for a request that should not come
N_BYTES = 28 * 28
TIMES = "\N{MULTIPLICATION SIGN}"
NOTHING = "\N{EN DASH}"


def in_a_corner(strokes: list[Stroke]) -> list[Stroke]:
    """Less than half as large, at the lower right."""
    return [[(0.58 + 0.4 * x, 0.58 + 0.4 * y) for x, y in stroke] for stroke in strokes]


def draw_and_read(page: Page, strokes: list[Stroke]) -> dict[str, Any]:
    """Draws, and gives the service's answer to all of it."""
    draw(page, strokes[:-1])
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response) if "/api/predict" in response.url else None)
    draw(page, strokes[-1:])
    page.wait_for_timeout(QUIET_MS)
    answer: dict[str, Any] = responses[-1].json()
    return answer


def network_requests(page: Page) -> list[Request]:
    """Those to the network alone, as they come."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if urlsplit(request.url).path == "/api/network" else None)
    return found


def look_inside(page: Page) -> None:
    page.get_by_text("Look inside").click()
    expect(page.locator("#inside-body")).to_be_visible()


def test_each_step_shows_the_ink_as_the_service_saw_it(page: Page) -> None:
    answer = draw_and_read(page, in_a_corner(DIGITS[7]))
    page.locator("#steps").scroll_into_view_if_needed()
    box = answer["box"]
    width, height = (round(box[high] - box[low]) for low, high in (("left", "right"), ("top", "bottom")))
    expect(page.locator("#box-fact")).to_have_text(f"{width} {TIMES} {height} px of ink")
    expect(page.locator("#box-mark")).to_have_attribute("width", str(box["right"] - box["left"]).removesuffix(".0"))
    expect(page.locator("#fit-fact")).to_have_text(re.compile(rf"^\d+ {TIMES} 20 px$"))
    expect(page.locator("#polarity-fact")).to_have_text("Light paper: inverted")
    for stage in STAGES:
        assert n_inked_pixels(page, f"#{stage}-canvas") > 30
    seen = page.locator("#tensor-canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
    )
    assert bytes(seen) == base64.b64decode(answer["normalized"])


@pytest.mark.slow
def test_the_tensors_values_are_read_by_keyboard_and_by_pointing(page: Page) -> None:
    levels = base64.b64decode(draw_and_read(page, DIGITS[0])["normalized"])
    tensor = page.locator("#tensor-canvas")
    tensor.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(tensor).to_have_attribute("aria-valuetext", f"row 14, column 14: {levels[13 * 28 + 13]}")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#tensor-fact")).to_have_text(f"row 28, column 14: {levels[27 * 28 + 13]}")
    darkest = levels.index(max(levels))
    bounds = tensor.bounding_box()
    assert bounds is not None
    x, y = ((place + 0.5) / 28 for place in (darkest % 28, darkest // 28))
    tensor.hover(position={"x": x * bounds["width"], "y": y * bounds["height"]})
    expect(tensor).to_have_attribute(
        "aria-valuetext", f"row {darkest // 28 + 1}, column {darkest % 28 + 1}: {max(levels)}"
    )


def test_the_network_is_looked_into_only_while_it_is_open(page: Page) -> None:
    requests = network_requests(page)
    draw(page, DIGITS[9])
    expect(page.locator("#glyph")).to_have_text("9")
    page.locator("#inside").scroll_into_view_if_needed()
    page.wait_for_timeout(QUIET_MS)
    assert requests == []
    look_inside(page)
    (request,) = requests
    body = request.post_data_buffer or b""
    assert request.url.endswith("?layers=true")
    assert 20 * N_BYTES < len(body) <= 256 * N_BYTES
    expect(page.locator("#inside-price")).to_contain_text(f" {len(body) // N_BYTES - 1} more times")
    expect(page.locator("#hold-story")).to_have_text(
        re.compile(r"^(Without its [a-z ]+ part it would|It stays 9|No single)")
    )
    expect(page.locator("#chances .best .name")).to_have_text("9")
    assert n_inked_pixels(page, "#heat-canvas") > 30
    assert page.locator(".map-layer [role=listbox]").count() >= 5
    for tile in page.locator(".map-layer .tile canvas").all():
        assert tile.evaluate("canvas => canvas.width") > 1


@pytest.mark.slow
def test_a_square_is_left_out_by_keyboard(page: Page) -> None:
    draw(page, DIGITS[4])
    look_inside(page)
    heat = page.locator("#heat-canvas")
    heat.focus()
    for key in ("ArrowUp",) * 20 + ("ArrowLeft",) * 20:
        page.keyboard.press(key)
    reading = page.locator("#hole-reading")
    expect(reading).to_have_text(re.compile(r"^Without this square: "))
    corner = [page.locator("#hole-mark").get_attribute(name) for name in ("x", "y")]
    for key in ("ArrowDown",) * 27 + ("ArrowRight",) * 27:
        page.keyboard.press(key)
    assert [page.locator("#hole-mark").get_attribute(name) for name in ("x", "y")] != corner
    expect(heat).to_have_attribute("aria-valuetext", reading.text_content() or "")


@pytest.mark.slow
def test_a_map_is_enlarged_and_all_of_them_are_shown(page: Page) -> None:
    draw(page, DIGITS[3])
    look_inside(page)
    row = page.locator(".map-layer", has=page.locator("button:not([hidden])")).first
    maps, caption = row.get_by_role("option"), row.locator("figcaption")
    expect(maps).to_have_count(16)
    expect(caption).to_have_text(maps.first.get_attribute("aria-label") or "")
    maps.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(maps.nth(9)).to_be_focused()
    expect(caption).to_have_text(maps.nth(9).get_attribute("aria-label") or "")
    maps.nth(4).hover()
    expect(caption).to_have_text(maps.nth(4).get_attribute("aria-label") or "")
    peaks = [float((option.get_attribute("aria-label") or "").split()[-1]) for option in maps.all()]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] > 0
    button = row.get_by_role("button")
    expected = int((button.text_content() or "").split()[-1])
    button.click()
    expect(maps).to_have_count(expected)
    expect(button).to_have_attribute("aria-expanded", "true")


@pytest.mark.slow
def test_ink_that_is_no_digit_is_explained_too(page: Page) -> None:
    draw(page, SCRIBBLE)
    look_inside(page)
    expect(page.locator("#hold-story")).to_have_text(
        re.compile(r"^(It is not read as a digit, |Without its |It stays )")
    )


@pytest.mark.slow
def test_the_end_of_a_stroke_asks_once_and_the_rest_of_it_does_not(page: Page) -> None:
    draw(page, DIGITS[1])
    look_inside(page)
    requests = network_requests(page)
    # A window in which the sheet and what is inside are both in view.
    page.set_viewport_size({"width": 1280, "height": 5000})
    page.evaluate("scrollTo(0, 0)")
    with page.expect_response("**/api/network*"):
        draw(page, [[(0.2, 0.2), (0.3, 0.3), (0.4, 0.3), (0.6, 0.4), (0.7, 0.7)]])
    page.wait_for_timeout(QUIET_MS)
    assert len(requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("base", [0.31, 0.62])
def test_the_figures_of_the_steps_are_the_cards(page: Page, base: float) -> None:
    names = (*MEASURED, "all", "squeezed")
    steps: dict[str, dict[str, Any]] = {
        name: {
            "label": f"without {name}",
            "accuracy": base + number / 100,
            "accuracy_low": base + (number - 1) / 100,
            "accuracy_high": base + (number + 1) / 100,
        }
        for number, name in enumerate(names)
    }

    def with_steps(route: Route) -> None:
        card = route.fetch().json()
        route.fulfill(json=card | {"evaluation": {**card.get("evaluation", {}), "steps": steps}})

    page.route("**/api/model", with_steps)
    page.reload()
    for name in MEASURED:
        expect(page.locator(f"#{name}-cost strong")).to_have_text(f"{100 * steps[name]['accuracy']:.1f} %")
        expect(page.locator(f"#{name}-cost")).to_contain_text(f"without {name}")
    expect(page.locator("#tensor-cost strong")).to_have_text(f"{100 * steps['all']['accuracy']:.1f} %")
    for name in ("all", "squeezed"):
        accuracy, low, high = (100 * steps[name][key] for key in ("accuracy", "accuracy_low", "accuracy_high"))
        expect(page.locator("#squeeze-cost")).to_contain_text(f"{accuracy:.1f} % ({low:.1f} to {high:.1f} %)")


@pytest.mark.slow
def test_an_earlier_card_has_no_figures_and_the_sentences_stay(page: Page) -> None:
    def without_evaluation(route: Route) -> None:
        card = route.fetch().json()
        card.pop("evaluation", None)
        route.fulfill(json=card)

    page.route("**/api/model", without_evaluation)
    page.reload()
    expect(page.locator("#model")).to_have_attribute("data-state", "ready")
    for name in (*MEASURED, "tensor"):
        expect(page.locator(f"#{name}-cost")).to_be_empty()
    expect(page.locator("#squeeze-cost")).to_be_empty()
    expect(page.locator(".step .why")).to_have_count(6)


@pytest.mark.slow
def test_a_file_goes_through_the_same_steps(page: Page) -> None:
    give_file(page, "drop", png_of(DIGITS[3], side_px=150))
    expect(page.locator("#glyph")).to_have_text("3")
    page.locator("#steps").scroll_into_view_if_needed()
    expect(page.locator("#drawing-fact")).to_have_text(f"150 {TIMES} 150 px")
    expect(page.locator("#polarity-fact")).to_have_text("Light paper: inverted")
    expect(page.locator("#fit-fact")).to_have_text(re.compile(rf"^\d+ {TIMES} 20 px$"))
    for stage in STAGES:
        assert n_inked_pixels(page, f"#{stage}-canvas") > 30


@pytest.mark.slow
def test_a_blank_sheet_empties_every_step(page: Page) -> None:
    draw(page, DIGITS[2])
    look_inside(page)
    page.locator("#steps").scroll_into_view_if_needed()
    expect(page.locator("#fit-fact")).to_have_text(re.compile("px$"))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".fact")).to_have_text([NOTHING] * 6)
    expect(page.locator("#inside-note")).to_have_text("Draw a digit first.")
    for stage in STAGES:
        assert n_inked_pixels(page, f"#{stage}-canvas") == 0


@pytest.mark.slow
def test_a_service_that_cannot_show_it_says_why(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("Failed to load resource")
    text = "This model file has no network to ask alone."
    page.route("**/api/network*", lambda route: route.fulfill(status=404, json={"error": text}))
    draw(page, DIGITS[8])
    page.get_by_text("Look inside").click()
    expect(page.locator("#inside-note")).to_have_text(text)
    page.get_by_role("switch", name="What most demos do").check()
    expect(page.locator("#squeeze-note")).to_have_text(text)


@pytest.mark.slow
def test_what_an_outage_broke_is_explained_when_the_service_is_back(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("Failed to load resource")
    draw(page, DIGITS[8])
    expect(page.locator("#glyph")).to_have_text("8")
    for route in ("**/api/network*", "**/api/model"):
        page.route(route, lambda route: route.fulfill(status=500, json={"error": "A name in the code."}))
    # A window in which both are in view.
    page.set_viewport_size({"width": 1280, "height": 5000})
    page.get_by_text("Look inside").click()
    page.get_by_role("switch", name="What most demos do").check()
    expect(page.locator("#inside-note")).to_have_text("The service has a fault.")
    expect(page.locator("#squeeze-note")).to_have_text("The service has a fault.")
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#banner")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#inside-body")).to_be_visible()
    expect(page.locator("#squeezed-reading")).to_contain_text("Read as")


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [PHONE])
def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    draw(page, DIGITS[6])
    page.get_by_role("switch", name="What most demos do").check()
    look_inside(page)
    for button in page.locator(".map-layer").get_by_role("button").all():
        button.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
