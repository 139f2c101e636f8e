"""The page draws strokes as the service does."""

import json
from pathlib import Path

import numpy as np

from serving.drawing.sheet import PICTURE_PX, lay_out
from tests.web.node import ROOT, node

SCRIPT = f"""
import {{ readFileSync, writeFileSync }} from "node:fs";
import {{ PICTURE_SIDE, drawPicture }} from "{(ROOT / "web/js/base/raster.js").as_uri()}";
const drawings = JSON.parse(readFileSync(process.argv[2]));
writeFileSync(process.argv[3], Buffer.concat(drawings.map((strokes) => Buffer.from(drawPicture(strokes).levels))));
"""


def random_drawing(rng: np.random.Generator) -> list[list[list[float]]]:
    """Return strokes of random size and place, with dots and repeated points, some of them beyond the sheet."""
    centre, size = rng.uniform(-0.2, 1.2, 2), 10 ** rng.uniform(-2.5, 0)
    drawing = []
    for _ in range(rng.integers(1, 4)):
        points = centre + size * np.cumsum(rng.normal(0, 0.3, (rng.integers(1, 30), 2)), axis=0)
        drawing.append(np.repeat(points, rng.integers(1, 3, len(points)), axis=0).tolist())
    return drawing


def test_a_thousand_drawings_are_equal_to_the_byte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    drawings = [random_drawing(rng) for _ in range(1000)]
    (tmp_path / "drawings.json").write_text(json.dumps(drawings), encoding="utf-8")
    (tmp_path / "draw.mjs").write_text(SCRIPT, encoding="utf-8")
    done = node(tmp_path / "draw.mjs", tmp_path / "drawings.json", tmp_path / "pictures")
    assert done.returncode == 0, done.stderr
    pictures = np.fromfile(tmp_path / "pictures", np.uint8).reshape(-1, PICTURE_PX, PICTURE_PX)
    drawn = [lay_out([np.array(stroke) for stroke in drawing]).draw() for drawing in drawings]
    assert np.array_equal(pictures, drawn)
    assert np.mean(pictures > 0) > 0.01
