"""The figures of the model: each comes from the card, and the page works without animations."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.answers import serve_card
from tests.e2e.cards import Card, other_card

OTHER = {
    "#network": ["tiny has 7,851 parameters in 2 layers", "layers.Dense(10)", "77", "epoch 2 of 3", "90.00 %"],
    "#evaluation": [
        *("4,321", "765", "987", "654", "91.23 %", "89.31 to 92.88 %", "87 errors", "87.65 %", "0.3217"),
        *("4.56 %", "7.89 %", "65.43 %", "8 is most often taken for 3 (7 of 100)", "76.5 %", "runes", "60.0 to 73.0 %"),
    ],
}


def text_of(page: Page, selector: str) -> str:
    return re.sub(r"\s", " ", page.locator(selector).text_content() or "")


@pytest.fixture
def other(tab: Page, card: Card) -> Page:
    serve_card(tab, other_card(card))
    tab.goto("/")
    expect(tab.locator("#model-state")).to_have_text("Ready")
    # What needs much of the card is built when it is about to be seen; a link to a part shows all.
    expect(tab.locator(".stat")).to_have_count(0)
    tab.locator("#parts a").first.click()
    expect(tab.locator(".stat")).to_have_count(8)
    return tab


def test_each_figure_is_the_cards(other: Page, card: Card) -> None:
    expect(other.locator("#model-text")).to_contain_text(f"{100 * other_card(card)['metrics']['test_accuracy']:.1f} %")
    for selector, texts in OTHER.items():
        text = text_of(other, selector)
        assert [figure for figure in texts if figure not in text] == []
    real = f"{100 * card['metrics']['test_accuracy']:.2f}"
    assert real not in text_of(other, "main")
    steps = other_card(card)["evaluation"]["steps"]
    for name in ("polarity", "box", "fit", "mass"):
        expect(other.locator(f"#{name}-cost strong")).to_have_text(f"{100 * steps[name]['accuracy']:.1f} %")
        expect(other.locator(f"#{name}-cost")).to_contain_text(steps[name]["label"])
    expect(other.locator("#tensor-cost strong")).to_have_text(f"{100 * steps['all']['accuracy']:.1f} %")
    for name in ("all", "squeezed"):
        accuracy, low, high = (100 * steps[name][key] for key in ("accuracy", "accuracy_low", "accuracy_high"))
        expect(other.locator("#squeeze-cost")).to_contain_text(f"{accuracy:.1f} % ({low:.1f} to {high:.1f} %)")


def test_a_section_whose_entry_the_card_lacks_is_left_out(tab: Page, card: Card) -> None:
    serve_card(tab, card | dict.fromkeys(("data", "metrics", "training")))
    tab.goto("/")
    expect(tab.locator("#model-text")).to_have_text("")
    for name, is_shown in {"network": False, "evaluation": False, "steps": True}.items():
        expect(tab.locator(f"#{name}")).to_be_visible(visible=is_shown)


@pytest.mark.slow
def test_the_matrix_shows_the_images_of_a_cell(page: Page, card: Card) -> None:
    confusion = card["evaluation"]["confusion"]["mnist"]
    pairs = [(actual, taken) for actual in range(10) for taken in range(10) if actual != taken]
    pairs.sort(key=lambda pair: -confusion[pair[0]][pair[1]] / sum(confusion[pair[0]]))
    page.locator("#evaluation").scroll_into_view_if_needed()
    title = page.locator("#confusion-title")
    expect(title).to_have_text(re.compile(r"^{} taken for {} on MNIST: \d+ images?$".format(*pairs[0])))
    page.get_by_role("button", name="{} taken for {}".format(*pairs[1])).click()
    expect(title).to_have_text(re.compile(r"^{} taken for {} on MNIST: \d+ images?$".format(*pairs[1])))
    expect(page.locator("#speech")).to_have_text(title.text_content() or "")
    image = page.locator(".misread canvas").first
    expect(image).to_have_attribute("aria-label", re.compile("^A {} that was read as {}".format(*pairs[1])))
    assert image.evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, 28, 28).data.some((value, i) => i % 4 < 3 && value)"
    )

    reached = page.locator("#confusion button[tabindex='0']")
    expect(reached).to_have_count(1)
    reached.press("Home")
    page.keyboard.press("ArrowRight")
    expect(reached).to_have_count(1)
    page.get_by_role("button", name="Pen strokes").click()
    expect(page.get_by_role("button", name="Pen strokes")).to_have_attribute("aria-pressed", "true")
    expect(title).to_have_text(re.compile("on pen strokes"))


@pytest.mark.slow
@pytest.mark.parametrize("is_plain_http", [False, True])
def test_commands_can_be_copied(page: Page, is_plain_http: bool, service: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service)
    if is_plain_http:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.reload()
        page.evaluate("addEventListener('copy', () => { window.copied = getSelection().toString(); })")
    button = page.get_by_role("button", name="Copy the commands")
    button.click()
    expect(button).to_have_text("Copied")
    copied = page.evaluate("window.copied" if is_plain_http else "navigator.clipboard.readText()")
    last = f"curl -s -H 'Content-Type: image/png' --data-binary @docs/digit.png {service}/api/predict"
    assert (copied.splitlines()[0], copied.splitlines()[-1]) == ("make run", last)
    expect(button).to_have_text("Copy")


@pytest.mark.slow
def test_animations_leave_everything_visible(page: Page) -> None:
    page.emulate_media(reduced_motion="no-preference")
    hidden = "[...document.querySelectorAll('.part > *, .layer')].filter((e) => getComputedStyle(e).opacity < 1).length"
    page.wait_for_function(f"() => {hidden} > 0")
    for _ in range(60):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)
    page.wait_for_function(f"() => {hidden} === 0")
