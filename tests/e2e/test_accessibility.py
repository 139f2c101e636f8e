"""Accessibility: axe-core in every state and theme, narrow windows, the keyboard, speech and motion."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.answers import hold
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw
from tests.e2e.states import STATES, scroll_through, see_digit, see_docs
from tests.web.node import package

pytestmark = pytest.mark.slow

TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
NARROW: list[ViewportSize] = [PHONE, {"width": 640, "height": 400}]  # the other is 1280 x 800 pixels at 200 %
VIOLATIONS = """async (tags) => {
  const { violations } = await axe.run({ runOnly: tags, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message}`));
}"""


def violations(page: Page) -> Any:
    page.evaluate(package("axe-core/axe.min.js").read_text())
    return page.evaluate(VIOLATIONS, TAGS)


@pytest.mark.parametrize("see", STATES)
@pytest.mark.usefixtures("load_errors")
def test_axe_finds_nothing_in_the_systems_theme(page: Page, see: Callable[[Page], None]) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    see(page)
    scroll_through(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def test_axe_finds_nothing_in_the_chosen_theme(page: Page) -> None:
    see_digit(page)
    scroll_through(page)
    for theme, other in (("light", "dark"), ("dark", "light")):
        page.emulate_media(color_scheme=other, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        assert violations(page) == []


OVERFLOWING = """() => {
  const isWider = (element) => element.scrollWidth > element.clientWidth + 1;
  const overflows = (element, how) => isWider(element) && how.test(getComputedStyle(element).overflowX);
  const scrolls = (element) => element && (overflows(element, /auto|scroll/) || scrolls(element.parentElement));
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const isCut = (element) => overflows(element, /hidden|clip/);
  return [...document.body.querySelectorAll("*")]
    .filter((element) => isShown(element) && !element.closest(".unseen, svg") && !scrolls(element.parentElement))
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1 || isCut(element))
    .map((element) => element.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("viewport", NARROW[:1])
@pytest.mark.parametrize("see", STATES)
@pytest.mark.usefixtures("load_errors")
def test_nothing_is_lost_in_a_narrow_window(page: Page, see: Callable[[Page], None]) -> None:
    see(page)
    for size in NARROW:
        page.set_viewport_size(size)
        scroll_through(page)
        assert page.evaluate(OVERFLOWING) == []
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        assert violations(page) == []


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 664}])
def test_text_of_twice_the_size_is_neither_cut_nor_covered(page: Page) -> None:
    see_digit(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    scroll_through(page)
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    verdict, bars, stage = (page.locator(part).bounding_box() for part in (".verdict", "#bars", "#stage"))
    assert verdict is not None
    assert bars is not None
    assert stage is not None
    assert verdict["y"] + verdict["height"] <= bars["y"]
    assert bars["y"] + bars["height"] <= stage["y"]


# Everything that the keyboard should reach, in the order of the document; of a group of radio buttons, the checked one.
CONTROLS = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
  const reached = all.filter((element) => element.tabIndex >= 0 && !element.disabled && element.type !== "hidden"
    && element.checkVisibility({ checkVisibilityCSS: true }) && !element.closest("[inert]"));
  const controls = reached.filter((element) => element.type !== "radio" || element.checked);
  controls.forEach((element, i) => { element.dataset.place = i; });
  return controls.map((element) => element.outerHTML.slice(0, 120));
}"""
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const marked = [element, ...(element.labels ?? [])].map((each) => getComputedStyle(each));
  const isMarked = marked.some(({ outlineStyle, boxShadow }) => outlineStyle !== "none" || boxShadow !== "none");
  return { place: Number(element.dataset.place ?? -1), isMarked, html: element.outerHTML.slice(0, 120) };
}"""


@pytest.mark.parametrize("see", [see_digit, see_docs])
def test_the_tab_key_reaches_everything_in_order_with_a_visible_focus(page: Page, see: Callable[[Page], None]) -> None:
    see(page)
    scroll_through(page)
    controls = page.evaluate(CONTROLS)
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # the start of the page
    reached = []
    while len(reached) <= len(controls) + 1:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        reached.append(focused)
    assert [each["html"] for each in reached if each["place"] < 0] == []
    assert [each["place"] for each in reached] == list(range(len(controls)))
    assert [each["html"] for each in reached if not each["isMarked"]] == []


def test_one_live_region_speaks_once_when_a_stroke_has_ended(page: Page) -> None:
    live = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output"
    assert page.locator(live).evaluate_all("(found) => found.map(({ id }) => id)") == ["speech"]
    expect(page.locator("#speech")).to_have_attribute("aria-live", "polite")
    page.evaluate(
        """() => {
          window.said = [];
          const speech = document.querySelector("#speech");
          const note = () => window.said.push(speech.textContent);
          new MutationObserver(note).observe(speech, { childList: true, characterData: true, subtree: true });
        }"""
    )
    first, second = DIGITS[4]
    for x, y in first:
        page.locator("#ink").hover(position={"x": 300 * x, "y": 300 * y})
        page.mouse.down()
        page.wait_for_timeout(40)
    # Nothing is spoken while the pen is down.
    expect(page.locator("#latency")).to_be_visible()
    assert page.evaluate("said") == []
    page.mouse.up()
    page.wait_for_function("() => said.length > 0")
    draw(page, [second])
    page.wait_for_function("() => said.length > 1")
    page.wait_for_timeout(200)
    assert len(page.evaluate("said")) == 2
    assert page.evaluate("said.at(-1)").startswith("Four")


MOTION = """() => {
  window.moved = new Set();
  const note = () => {
    for (const animation of document.getAnimations()) {
      const { duration } = animation.effect.getComputedTiming();
      if (animation.playState !== "running" || duration === 0) continue;
      moved.add(animation.transitionProperty ?? animation.animationName);
    }
    requestAnimationFrame(note);
  };
  note();
}"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_where_motion_is_reduced(page: Page, motion: str) -> None:
    page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    page.add_init_script(f"document.addEventListener('DOMContentLoaded', {MOTION})")
    page.reload()
    see_digit(page)
    scroll_through(page)
    page.keyboard.press("Escape")
    moved = page.evaluate("[...moved]")
    assert moved == [] if motion == "reduce" else moved != []


@pytest.mark.parametrize(("part", "room"), [("network", "layers"), ("evaluation", "stats"), ("confusion", "confusion")])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_card_fills_reserved_room_with_a_waiting_note(tab: Page, part: str, room: str) -> None:
    page = tab
    page.emulate_media(reduced_motion="reduce")
    held = hold(page, "**/api/model")
    page.goto("/")
    page.locator(f"#{part}").evaluate("(part) => part.scrollIntoView()")
    waiting = f"getComputedStyle(document.querySelector('#{room}'), '::before').content"
    assert page.evaluate(waiting).startswith('"Waiting')
    held.pop().continue_()
    expect(page.locator(f"#{room} > *").first).to_be_visible()
    assert page.evaluate(waiting) == "none"
    assert page.evaluate(SHIFT) < 0.05


SHIFT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const unexpected = list.getEntries().filter(({ hadRecentInput }) => !hadRecentInput);
    resolve(unexpected.reduce((sum, { value }) => sum + value, 0));
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 500);
})"""
