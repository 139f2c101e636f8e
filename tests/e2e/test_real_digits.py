"""Digits of real writers, drawn on the page."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pipeline.sources.unipen import Drawing, parse_unipen
from serving.drawing.rasterize import rasterize
from serving.drawing.strokes import place
from tests.e2e.answers import expect_state
from tests.e2e.digits import Stroke
from tests.e2e.hand import draw, draw_by_pen, draw_by_touch

pytestmark = pytest.mark.slow

SIDE_PX = 280  # of the raster that the page sends
PEN_PX = 0.06 * SIDE_PX
N_DIGITS = 200
DRAW_IN_PAGE = """async (strokes) => {
  const ink = document.querySelector("#ink");
  // The browser has no pointer with this ID.
  ink.setPointerCapture = () => {};
  const { left, top, width, height } = ink.getBoundingClientRect();
  const point = (type, [x, y]) =>
    ink.dispatchEvent(new PointerEvent(type, {
      pointerType: "mouse", pointerId: 9, isPrimary: true, button: 0,
      clientX: left + x * width, clientY: top + y * height,
    }));
  const spoken = new Promise((resolve) =>
    new MutationObserver((_, observer) => {
      observer.disconnect();
      resolve();
    }).observe(document.querySelector("#speech"), { childList: true }));
  for (const stroke of strokes) {
    point("pointerdown", stroke[0]);
    for (const each of stroke.slice(1)) point("pointermove", each);
    point("pointerup", stroke.at(-1));
  }
  await spoken;
  return document.querySelector("#glyph").textContent;
}"""


def read_drawings(name: str) -> list[Drawing]:
    path = Path(os.environ.get("INKLING_MIRROR", ""), "pendigits", f"pendigits-orig.{name}")
    if not path.is_file():
        pytest.skip(f"There is no {path}: INKLING_MIRROR names the folder that has pendigits/.")
    return parse_unipen(path.read_text())


def on_sheet(drawing: Drawing, size: float = 0.6) -> list[Stroke]:
    """Return its strokes in the sheet's unit square, with `size` as the longest side."""
    placed = place(drawing.strokes, (SIDE_PX, SIDE_PX), size, line_width=PEN_PX)
    return [[(float(x) / SIDE_PX, float(y) / SIDE_PX) for x, y in stroke] for stroke in placed]


@pytest.fixture(scope="module")
def training_digits() -> list[Drawing]:
    """Return the first drawing of each digit by training writers."""
    drawings = read_drawings("tra")
    return [next(drawing for drawing in drawings if drawing.label == digit) for digit in range(10)]


@pytest.mark.parametrize("by", [draw, draw_by_touch, draw_by_pen])
def test_the_page_shows_the_services_answer(
    page: Page, service: str, training_digits: list[Drawing], by: Callable[[Page, list[Stroke]], None]
) -> None:
    for drawing in training_digits:
        strokes = on_sheet(drawing)
        ink = rasterize([np.array(stroke, np.float32) * SIDE_PX for stroke in strokes], (SIDE_PX, SIDE_PX), PEN_PX)
        response = page.request.post(
            f"{service}/api/predict?width={SIDE_PX}&height={SIDE_PX}",
            data=(255 - ink).tobytes(),
            headers={"Content-Type": "application/octet-stream"},
        )
        answer = response.json()
        by(page, strokes)
        expect_state(page, answer["state"])
        expect(page.locator("#glyph")).to_have_text(str(answer["digit"]))
        page.keyboard.press("Escape")
        expect_state(page, "blank")


@pytest.mark.timeout(1800)
def test_digits_of_unknown_writers_are_read(page: Page) -> None:
    """Use all drawings, because a few hundred are too few for the bound."""
    drawings = read_drawings("tes")
    assert len(misread(page, drawings)) <= 0.02 * len(drawings)


@pytest.mark.parametrize("size", [1.0, 0.25, 0.15])
def test_the_size_of_a_digit_on_the_sheet_does_not_matter(page: Page, size: float) -> None:
    """Compare sizes; the pen width was chosen with these writers, so the accuracy itself is biased."""
    drawings = read_drawings("tra")
    chosen = drawings[:: len(drawings) // N_DIGITS][:N_DIGITS]
    assert len(misread(page, chosen, size)) <= 0.02 * N_DIGITS


def misread(page: Page, drawings: list[Drawing], size: float = 0.6) -> list[tuple[int, int, str]]:
    """Draw them, and return those without a certain and correct answer: index, label and answer."""
    wrong = []
    for i, drawing in enumerate(drawings):
        glyph = page.evaluate(DRAW_IN_PAGE, on_sheet(drawing, size))
        if glyph != str(drawing.label):
            wrong.append((i, drawing.label, glyph))
        page.keyboard.press("Escape")
    print(f"{len(drawings) - len(wrong)} of {len(drawings)} are read; not these: {wrong}")
    return wrong
