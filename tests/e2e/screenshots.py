"""`python -m tests.e2e.screenshots [FOLDER]` takes the pictures of the page in docs/."""

import argparse
import io
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect

from bench.browser import launched
from tests.e2e.answers import expect_ready, expect_state
from tests.e2e.digits import DIGITS
from tests.e2e.hand import draw
from tests.e2e.service import running
from tests.project import ROOT

SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
N_COLOURS = 256


def take(browser: Browser, service: str, folder: Path) -> list[Path]:
    """Write page-<size>-<theme>.png: the top of the page with a digit and its answer."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for size, viewport in SIZES.items():
        for theme in THEMES:
            context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(service)
            expect_ready(page)
            draw(page, DIGITS[3])
            expect_state(page, "digit")
            expect(page.locator("#why")).not_to_have_text("")
            page.mouse.move(0, 0)
            picture = page.screenshot(animations="disabled")
            context.close()
            paths.append(folder / f"page-{size}-{theme}.png")
            # A palette is enough for flat colours. An octree keeps the colours of small marks.
            with Image.open(io.BytesIO(picture)) as image:
                image.convert("RGB").quantize(N_COLOURS, Image.Quantize.FASTOCTREE).save(paths[-1], optimize=True)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as logs, running(Path(logs, "log.txt")) as service, launched() as browser:
        print(*take(browser, service, folder), sep="\n")


if __name__ == "__main__":
    main()
