"""The command that takes the pictures in docs/."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bench.browser import MISSING, find_browser
from tests.e2e.screenshots import SIZES, THEMES
from tests.needs import missing
from tests.project import ROOT


@pytest.mark.slow
def test_the_pictures_are_taken_in_both_sizes_and_themes(tmp_path: Path) -> None:
    if find_browser() is None:
        missing(MISSING)
    command = [sys.executable, "-m", "tests.e2e.screenshots", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for size, viewport in SIZES.items():
        for theme in THEMES:
            picture = Image.open(tmp_path / f"page-{size}-{theme}.png")
            assert picture.size == (viewport["width"], viewport["height"])
            assert (picture.convert("L").getpixel((1, 1)) > 128) == (theme == "light")  # type: ignore[operator]
