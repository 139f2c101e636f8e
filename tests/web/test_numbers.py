"""The page draws and decodes numbers as the service does."""

import json
from pathlib import Path

import numpy as np
import pytest

from serving.numbers.decode import decode
from serving.numbers.reader import sketch
from serving.numbers.weights import NumberWeights
from tests.web.node import ROOT, node

WEIGHTS = NumberWeights(score=1.5, digit=0.3, gap=3.0, late=0.4, lowness=2.0, width=3.0, overlap=5.0, max_cost=12.0)
SCRIPT = f"""
import {{ readFileSync, writeFileSync }} from "node:fs";
import {{ decode, sketchOf }} from "{(ROOT / "web/js/number/decode.js").as_uri()}";
const {{ cases, weights }} = JSON.parse(readFileSync(process.argv[2]));
const found = cases.map(({{ strokes, probabilities, scores }}) => {{
  const sketch = sketchOf(strokes);
  if (!sketch) return null;
  const pictures = sketch.pictures.map((levels) => Buffer.from(levels).toString("hex"));
  return {{ ...sketch, pictures, readings: decode(sketch, probabilities, scores, weights) }};
}});
writeFileSync(process.argv[3], JSON.stringify(found));
"""


def random_number(rng: np.random.Generator) -> list[list[list[float]]]:
    """Return strokes of random size in random order, mostly beside one another. Some are dots, some are too large."""
    n_strokes, size = int(rng.integers(1, 10)), 10 ** rng.uniform(-1.5, -0.7)
    strokes = []
    for place in rng.permutation(n_strokes):
        height = size * rng.choice([0.1, 0.5, 1, 1.1, 2], p=[0.05, 0.25, 0.5, 0.18, 0.02])
        points = rng.uniform(0, 1, (rng.integers(1, 12), 2)) * (size * rng.uniform(0, 0.8), height)
        corner = np.array([place * size * rng.choice([0.3, 0.8]), 0.3])
        strokes.append((points + corner).tolist())
    return strokes


@pytest.mark.parametrize("n_numbers", [300, pytest.param(1000, marks=pytest.mark.slow)])
def test_numbers_are_drawn_and_decoded_alike(tmp_path: Path, n_numbers: int) -> None:
    rng = np.random.default_rng(n_numbers)
    drawings = [random_number(rng) for _ in range(n_numbers)]
    sketches = [sketch([np.array(stroke) for stroke in drawing]) for drawing in drawings]
    cases = []
    for drawing, drawn in zip(drawings, sketches, strict=True):
        n_candidates = len(drawn.candidates) if drawn else 0
        probabilities = rng.dirichlet(np.full(10, 0.1), n_candidates).astype(np.float32).tolist()
        scores = rng.beta(0.5, 0.5, n_candidates).astype(np.float32).tolist()
        cases.append({"strokes": drawing, "probabilities": probabilities, "scores": scores})
    content = {"cases": cases, "weights": {name: getattr(WEIGHTS, name) for name in WEIGHTS.__dataclass_fields__}}
    (tmp_path / "numbers.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "decode.mjs").write_text(SCRIPT, encoding="utf-8")
    done = node(tmp_path / "decode.mjs", tmp_path / "numbers.json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    lengths, n_refused = [], 0
    for drawn, case, found in zip(sketches, cases, json.loads((tmp_path / "found.json").read_text()), strict=True):
        if drawn is None:
            assert found is None
            continue
        assert found["line"] == drawn.line
        assert [each["strokes"] for each in found["candidates"]] == [list(each.strokes) for each in drawn.candidates]
        assert found["pictures"] == [picture.tobytes().hex() for picture in drawn.pictures]
        scored = case["probabilities"], case["scores"], drawn.line, drawn.n_strokes
        readings = decode(drawn.candidates, *scored, WEIGHTS)
        expected = [(list(reading.digits), list(reading.candidates)) for reading in readings]
        assert [(each["digits"], each["candidates"]) for each in found["readings"]] == expected
        confidences = [each["confidence"] for each in found["readings"]]
        assert confidences == pytest.approx([reading.confidence for reading in readings], abs=1e-12)
        lengths += [len(reading.digits) for reading in readings[:1]]
        n_refused += not readings
    assert len(lengths) > 0.6 * n_numbers
    assert n_refused > 0.05 * n_numbers
    assert len(set(lengths)) > 4
