"""The parts that show the model's figures: each figure comes from the card, and nothing needs the animations."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from tests.e2e.cards import Card, bare_card, full_card, other_card, serve_card
from tests.e2e.conftest import DESKTOP

ROOT = Path(__file__).parents[2]
INDEX = (ROOT / "web" / "index.html").read_text()
DOCUMENTS = "".join((ROOT / name).read_text() for name in ("README.md", "docs/guide.md"))
PHONE: ViewportSize = {"width": 360, "height": 740}
LOAD_ERROR = "Failed to load resource"


def percent(share: float, digits: int = 2) -> str:
    """As the page writes a share."""
    return f"{100 * share:.{digits}f} %"


def between(low: float, high: float, digits: int = 2) -> str:
    """As the page writes an interval."""
    return f"{100 * low:.{digits}f} to {percent(high, digits)}"


def ranked(confusion: list[list[int]]) -> list[tuple[int, int]]:
    """What is taken for what, the largest share of a digit first, as the page ranks them."""
    pairs = [(actual, taken) for actual in range(10) for taken in range(10) if actual != taken]
    return sorted(pairs, key=lambda pair: -confusion[pair[0]][pair[1]] / sum(confusion[pair[0]]))


def worst(confusion: list[list[int]]) -> str:
    """As the page words the first of these."""
    actual, taken = ranked(confusion)[0]
    return f"{actual} is most often taken for {taken} ({confusion[actual][taken]} of {sum(confusion[actual])})"


CARD = full_card()
METRICS, EVALUATION = CARD["metrics"], CARD["evaluation"]
GREEK = EVALUATION["refusal"]["families"]["greek_letters"]
FULL = {
    "#architecture": [
        "195,051 parameters",
        "26 \N{MULTIPLICATION SIGN} 26 \N{MULTIPLICATION SIGN} 16",
        "110,720 parameters",
        "layers.Conv2D(16, 3)",
        "muon",
        percent(CARD["training"]["history"][-1]["val_accuracy"]),
    ],
    "#evaluation": [
        *("115,992", "9,992", "10,000", "3,498", "greek letters"),
        *(percent(METRICS[name]) for name in ("test_accuracy", "strokes_accuracy", "test_ece", "strokes_ece")),
        *(percent(METRICS["refused_letters"]), f"{METRICS['test_errors']} errors", f"{METRICS['test_loss']:.4f}"),
        between(METRICS["test_accuracy_low"], METRICS["test_accuracy_high"]),
        between(GREEK["refused_low"], GREEK["refused_high"], digits=1),
        worst(EVALUATION["confusion"]["mnist"]),
    ],
    "#experiments": ["99.15 %", "98.95 to 99.31 %", "99.27 %", "What tiny_batch showed.", "0.05", "176"],
}
OTHER = {
    "#architecture": ["tiny has 7,851 parameters in 2 layers", "layers.Dense(10)", "77", "epoch 2 of 3"],
    "#evaluation": [
        *("4,321", "765", "987", "654", "91.23 %", "89.31 to 92.88 %", "87 errors", "87.65 %", "0.3217"),
        *("4.56 %", "7.89 %", "65.43 %", "8 is most often taken for 3 (7 of 100)", "76.5 %", "runes", "60.0 to 73.0 %"),
    ],
    "#experiments": ["lonely", "0.123", "75.31 %", "What lonely showed."],
}


def part(name: str) -> str:
    """The HTML of a part."""
    found = re.search(rf'id="{name}" aria-labelledby(.*?)</section>', INDEX, re.DOTALL)
    assert found
    return found[1]


def told(page: Page, selector: str) -> str:
    """All text of a part, with what is folded away, and spaces as they read."""
    return re.sub(r"\s", " ", page.locator(selector).text_content() or "")


def test_each_figure_is_the_cards(page: Page) -> None:
    cards: list[Callable[[], Card]] = [full_card, other_card]
    for make, figures, others in zip(cards, (FULL, OTHER), (OTHER, FULL), strict=True):
        serve_card(page, make)
        expect(page.locator("#stats .stat")).to_have_count(8)
        for selector, texts in figures.items():
            text = told(page, selector)
            assert [figure for figure in texts if figure not in text] == []
            assert others["#evaluation"][0] not in text
        page.unroute("**/api/model")


def test_what_the_model_file_does_not_tell_is_said_to_be_missing(page: Page) -> None:
    serve_card(page, bare_card)
    expect(page.locator("#network-summary")).to_have_text("inkling has 195,051 parameters.")
    expect(page.locator("#experiment-table")).to_have_text("This model file does not tell of experiments.")
    expect(page.locator("#confusion")).to_have_text("This model file does not tell which digits it takes for which.")
    expect(page.locator("#limits")).to_contain_text("does not tell")
    expect(page.locator("#stats .figure")).to_have_text(["\N{EN DASH}"] * 8)
    for selector in (
        "#network-untold",
        "#training-summary",
        "#training-curves",
        "#reliability",
        "#refusal",
    ):
        expect(page.locator(selector)).to_contain_text("does not tell")


@pytest.mark.parametrize("name", ["architecture", "evaluation", "experiments"])
def test_no_figure_is_written_in_the_html(name: str) -> None:
    text = html.unescape(re.sub(r"<[^>]*>", " ", part(name)))
    assert re.findall(r"\d[\d.,]*", text.replace("95\N{NO-BREAK SPACE}% interval", "")) == []


def test_every_command_is_in_the_documents() -> None:
    codes = re.findall(r'<code id="command-\d+">(.*?)</code>', part("run"), re.DOTALL)
    commands = [line for code in codes for line in html.unescape(re.sub(r"<[^>]*>", "", code)).splitlines()]
    assert len(commands) > 8
    assert [command for command in commands if command not in DOCUMENTS.splitlines()] == []


@pytest.mark.slow
def test_a_heads_button_sorts_the_experiments(page: Page) -> None:
    serve_card(page, full_card)
    names = page.locator("#experiment-table tbody th")
    expect(names).to_have_text(["baseline", "high lr", "tiny batch"])
    head = page.get_by_role("columnheader", name="MNIST test")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(names).to_have_text(["high lr", "baseline", "tiny batch"])
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text(["tiny batch", "baseline", "high lr"])
    page.get_by_role("columnheader", name="Published").get_by_role("button").click()
    expect(head).not_to_have_attribute("aria-sort", re.compile("."))
    expect(names).to_have_text(["high lr", "baseline", "tiny batch"])


@pytest.mark.slow
def test_a_cell_of_the_matrix_opens_the_images_behind_it(page: Page) -> None:
    serve_card(page, full_card)
    title = page.locator("#confusion-title")
    # The most frequent confusion is open from the start.
    (first, taken), (second, also_taken) = ranked(EVALUATION["confusion"]["mnist"])[:2]
    expect(title).to_have_text(re.compile(rf"^{first} taken for {taken} on MNIST: \d images?$"))
    page.get_by_role("button", name=f"{second} taken for {also_taken}").click()
    expect(title).to_have_text(re.compile(rf"^{second} taken for {also_taken} on MNIST: \d images?$"))
    expect(page.locator("#speech")).to_have_text(title.text_content() or "")
    label = re.compile(f"^A {second} that was read as {also_taken}")
    expect(page.locator(".misread canvas").first).to_have_attribute("aria-label", label)
    is_painted = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some((value, i) => i % 4 < 3 && value)"
    )
    assert page.locator(".misread canvas").first.evaluate(is_painted)
    page.get_by_role("button", name="Pen strokes").click()
    expect(page.get_by_role("button", name="Pen strokes")).to_have_attribute("aria-pressed", "true")
    expect(title).to_have_text(re.compile("on pen strokes"))


@pytest.mark.slow
def test_arrow_keys_walk_the_matrix(page: Page) -> None:
    serve_card(page, full_card)
    mistakes = page.locator("#confusion button")
    expect(page.locator("#confusion button[tabindex='0']")).to_have_count(1)
    page.locator("#confusion button[tabindex='0']").focus()
    page.keyboard.press("Home")
    seen = set()
    for _ in range(mistakes.count()):
        seen.add(page.evaluate("document.activeElement.ariaLabel"))
        page.keyboard.press("ArrowRight")
    assert len(seen) == mistakes.count()
    expect(page.locator("#confusion button[tabindex='0']")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#confusion-title")).to_have_text(re.compile("^9 taken for"))


@pytest.mark.slow
@pytest.mark.parametrize("is_plain_http", [False, True])
def test_code_can_be_copied(page: Page, is_plain_http: bool, service: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service)
    if is_plain_http:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.reload()
        page.evaluate("addEventListener('copy', () => { window.copied = getSelection().toString(); })")
    button = page.get_by_role("button", name="Copy: Have this service read an image")
    button.click()
    expect(button).to_have_text("Copied")
    copied = page.evaluate("window.copied" if is_plain_http else "navigator.clipboard.readText()")
    assert copied == f"curl -s -H 'Content-Type: image/png' --data-binary @digit.png {service}/api/predict"
    expect(button).to_have_text("Copy")


@pytest.mark.slow
def test_figures_count_up_to_what_the_card_says(page: Page) -> None:
    page.wait_for_function("() => window.ScrollTrigger?.getAll().length > 0")
    accuracy = page.locator("#stats .stat", has_text="Accuracy on MNIST test").locator(".figure")
    final = accuracy.text_content() or ""
    assert re.fullmatch(r"\d+\.\d\d\s%", final)
    page.evaluate("""() => {
        window.shown = new Set();
        const tiles = document.querySelector("#stats");
        const watch = () => tiles.querySelectorAll("[aria-hidden]").forEach((each) => shown.add(each.textContent));
        new MutationObserver(watch).observe(tiles, {subtree: true, childList: true});
    }""")
    accuracy.scroll_into_view_if_needed()
    page.wait_for_function("() => window.shown.size > 8")
    expect(page.locator("#stats [aria-hidden]")).to_have_count(0)
    expect(accuracy).to_have_text(final)


@pytest.mark.slow
def test_all_that_comes_in_while_scrolling_ends_up_seen(page: Page) -> None:
    page.wait_for_function("() => window.ScrollTrigger?.getAll().length > 0")
    pale = "(each) => getComputedStyle(each).opacity !== '1'"
    hidden = f"[...document.querySelectorAll('.part > *, .layer')].filter({pale}).length"
    assert page.evaluate(hidden) > 0
    for _ in range(60):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)
    page.wait_for_function(f"() => {hidden} === 0")


@pytest.mark.slow
def test_without_the_animations_the_page_is_complete(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append(LOAD_ERROR)

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/vendor/*", refuse)
    with page.expect_event("requestfailed"):
        serve_card(page, full_card)
    expect(page.locator("#stats .figure").first).to_have_text("115,992")
    assert page.evaluate(
        "[...document.querySelectorAll('.part *')].every((each) => getComputedStyle(each).opacity > 0)"
    )


@pytest.mark.slow
def test_reduced_motion_does_without_the_animations(browser: Browser, service: str) -> None:
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(service, wait_until="networkidle")
        page.wait_for_timeout(2500)  # longer than what waits for an idle moment waits at most
        assert [url for url in asked if "/vendor/" in url] == []
        page.emulate_media(reduced_motion="no-preference")
        page.wait_for_function("() => window.ScrollTrigger?.getAll().length > 0")
        page.emulate_media(reduced_motion="reduce")
        page.wait_for_function("() => window.ScrollTrigger.getAll().length === 0")


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [PHONE, {"width": 640, "height": 400}])
def test_narrow_windows_lose_nothing(page: Page) -> None:
    serve_card(page, full_card)
    expect(page.locator("#stats .stat")).to_have_count(8)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # What is wider scrolls in a box of its own, which the keyboard reaches.
    lost = page.evaluate("""() => [...document.querySelectorAll(".figures *")]
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest("[tabindex='0'], svg"))
        .map((each) => each.outerHTML.slice(0, 80))""")
    assert lost == []


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("part", ["architecture", "evaluation", "experiments"])
def test_nothing_moves_when_the_card_comes(page: Page, service: str, part: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script("""
        window.shift = 0;
        const add = (list) => list.getEntries().forEach((entry) => { shift += entry.value; });
        new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
    """)
    held: list[Route] = []
    page.route("**/api/model", lambda route: held.append(route))
    page.goto("about:blank")
    page.goto(f"{service}/#{part}")
    page.wait_for_function("() => scrollY > 500")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].fulfill(json=full_card())
    expect(page.locator("#stats .stat")).to_have_count(8)
    page.wait_for_timeout(300)
    assert page.evaluate("shift") < 0.05
