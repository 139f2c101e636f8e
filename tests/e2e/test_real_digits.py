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

SIDE_PX = 280  # of the raster that the page sends
PEN_PX = 0.06 * SIDE_PX


def read_drawings(name: str) -> list[Drawing]:
    """Return the drawings of a file of Pendigits in the mirror, or skip the test."""
    path = Path(os.environ.get("INKLING_MIRROR", ""), "pendigits", f"pendigits-orig.{name}")
    if not path.is_file():
        pytest.skip(f"There is no {path}: INKLING_MIRROR names the folder that has pendigits/.")
    return parse_unipen(path.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("by", [draw, draw_by_touch, draw_by_pen])
def test_the_page_shows_the_services_answer(page: Page, by: Callable[[Page, list[Stroke]], None]) -> None:
    drawings = read_drawings("tra")
    for digit in range(10):
        drawing = next(drawing for drawing in drawings if drawing.label == digit)
        placed = place(drawing.strokes, (SIDE_PX, SIDE_PX), 0.6, line_width=PEN_PX)
        strokes = [[(float(x) / SIDE_PX, float(y) / SIDE_PX) for x, y in stroke] for stroke in placed]
        ink = rasterize([np.array(stroke, np.float32) * SIDE_PX for stroke in strokes], (SIDE_PX, SIDE_PX), PEN_PX)
        response = page.request.post(
            f"/api/predict?width={SIDE_PX}&height={SIDE_PX}",
            data=(255 - ink).tobytes(),
            headers={"Content-Type": "application/octet-stream"},
        )
        answer = response.json()
        by(page, strokes)
        expect_state(page, answer["state"])
        expect(page.locator("#glyph")).to_have_text(str(answer["digit"]))
        page.keyboard.press("Escape")
        expect_state(page, "blank")
