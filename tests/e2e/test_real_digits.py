"""Digits of real writers, drawn on the page."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.sources.unipen import Drawing, parse_unipen
from serving.drawing.sheet import PEN, SIDE_PX
from serving.drawing.strokes import place
from tests.e2e.answers import expect_blank, expect_state
from tests.e2e.digits import Stroke
from tests.e2e.hand import draw, draw_by_pen, draw_by_touch

SHAPE = (SIDE_PX, SIDE_PX)


def read_drawings(name: str) -> list[Drawing]:
    """Return the drawings of a file of Pendigits in the mirror, or skip the test."""
    path = Path(os.environ.get("INKLING_MIRROR", ""), "pendigits", f"pendigits-orig.{name}")
    if not path.is_file():
        pytest.skip(f"There is no {path}: INKLING_MIRROR names the folder that has pendigits/.")
    return parse_unipen(path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(("by", "digits"), [(draw, (0, 3, 6, 9)), (draw_by_touch, (1, 4, 7)), (draw_by_pen, (2, 5, 8))])
def test_the_page_shows_the_services_answer(
    page: Page, by: Callable[[Page, list[Stroke]], None], digits: tuple[int, ...]
) -> None:
    first = {drawing.label: drawing.strokes for drawing in reversed(read_drawings("tra"))}
    for digit in digits:
        placed = place(first[digit], SHAPE, 0.6, line_width=PEN * SIDE_PX)
        strokes = [(stroke / SIDE_PX).tolist() for stroke in placed]
        answer = page.request.post("/api/predict", data={"strokes": strokes}).json()
        by(page, strokes)
        expect_state(page, answer["state"])
        expect(page.locator("#glyph")).to_have_text(str(answer["digit"]))
        page.keyboard.press("Escape")
        expect_blank(page)
