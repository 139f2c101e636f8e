"""The page reads in the browser as the service does."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.e2e.digits import DIGITS
from tests.web.node import ROOT, node, package
from tests.web.test_raster import random_drawing

TOLERANCE = 1e-5
# The last bits of the two runtimes differ, so that one level of a grid, if it is near the middle of two, may differ by 1.
ROUNDED_TOLERANCE = 2e-3
NUMBERS = {"probabilities", "digit_score", "confidence", "features"}
EXACT = ("model_version", "width", "height")
N_GRIDS = 70  # more than one batch

SCRIPT = """
import { readFileSync, writeFileSync } from "node:fs";
const [, , binary, folder, asked, answers] = process.argv;
const runtime = await import(process.env.RUNTIME);
runtime.env.wasm.numThreads = 1;
runtime.env.wasm.wasmBinary = readFileSync(binary);
const { Reader } = await import(process.env.READER);
const load = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
const reader = await Reader.open(runtime, load("model.onnx"), JSON.parse(readFileSync(`${folder}/card.json`)));
const { drawings } = JSON.parse(readFileSync(asked));
const withFeatures = process.env.WITH_FEATURES === "yes";
const read = [];
for (const strokes of drawings) read.push(await reader.readStrokes(strokes, withFeatures));
const network = await reader.readGrids(load("grids"), true);
writeFileSync(answers, JSON.stringify({ drawings: read, network }));
"""


def drawn_digit(rng: np.random.Generator) -> list[list[list[float]]]:
    """Return the strokes of a digit, bent and moved."""
    matrix = np.eye(2) * rng.uniform(0.1, 0.7) + rng.normal(0, 0.08, (2, 2))
    centre = rng.uniform(0.3, 0.7, 2)
    strokes = DIGITS[int(rng.integers(10))]
    return [
        ((np.array(stroke) - 0.5 + rng.normal(0, 0.02, (len(stroke), 2))) @ matrix + centre).tolist()
        for stroke in strokes
    ]


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("n", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_browser_reads_as_the_service_does(service: TestClient, tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    drawings = [drawn_digit(rng) for _ in range(n * 7 // 10)] + [random_drawing(rng) for _ in range(n * 3 // 10)]
    drawings = [[np.clip(stroke, -0.5, 1.5).tolist() for stroke in strokes] for strokes in drawings]
    details = "full,features" if has_features(service) else "full"  # older files lack them
    answers = [service.post(f"/api/predict?detail={details}", json={"strokes": each}).json() for each in drawings]
    grids = b"".join(base64.b64decode(answer["normalized"]) for answer in answers[:N_GRIDS])
    headers = {"content-type": "application/octet-stream"}
    network = service.post("/api/network?layers=true", content=grids, headers=headers).json()
    found = local_answers(service, drawings, grids, tmp_path)
    compare(found["drawings"], answers)
    assert {answer["state"] for answer in answers} >= {"digit", "unsure", "not_a_digit"}
    compare(found["network"]["answers"], network["answers"])
    assert found["network"]["model_version"] == network["model_version"]
    for layer, expected in zip(found["network"]["layers"], network["layers"], strict=True):
        assert layer | {"peak": 0, "maps": ""} == expected | {"peak": 0, "maps": ""}
        assert layer["peak"] == pytest.approx(expected["peak"], abs=TOLERANCE, rel=TOLERANCE)
        assert np.abs(levels_of(layer["maps"]) - levels_of(expected["maps"])).max() <= 1


def has_features(service: TestClient) -> bool:
    return "features" in [tensor["name"] for tensor in service.get("/api/model").json()["outputs"]]


def local_answers(service: TestClient, drawings: list[Any], grids: bytes, folder: Path) -> dict[str, Any]:
    (folder / "card.json").write_text(json.dumps(service.get("/api/model").json()), encoding="utf-8")
    (folder / "model.onnx").write_bytes(Settings.model.read_bytes())
    (folder / "grids").write_bytes(grids)
    (folder / "asked.json").write_text(json.dumps({"drawings": drawings}), encoding="utf-8")
    (folder / "read.mjs").write_text(SCRIPT, encoding="utf-8")
    done = node(
        folder / "read.mjs", package("onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"), folder,
        folder / "asked.json", folder / "answers.json",
        RUNTIME=package("onnxruntime-web/dist/ort.wasm.bundle.min.mjs").as_uri(),
        READER=(ROOT / "web/js/local/reader.js").as_uri(),
        WITH_FEATURES="yes" if has_features(service) else "",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return found


def compare(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Compare answers: numbers within the tolerance, everything else exactly."""
    assert len(found) == len(expected)
    n_rounded = 0
    for answer, other in zip(found, expected, strict=True):
        assert answer["state"] == other["state"]
        assert answer["digit"] == other["digit"]
        tolerance = TOLERANCE
        if "normalized" in other:
            assert {name: answer[name] for name in EXACT} == {name: other[name] for name in EXACT}
            assert (answer["box"] is None) == (other["box"] is None)
            assert answer["box"] == (other["box"] and pytest.approx(other["box"], abs=0.011))
            gaps = np.abs(levels_of(answer["normalized"]) - levels_of(other["normalized"]))
            assert gaps.sum() <= 1
            tolerance = ROUNDED_TOLERANCE if gaps.any() else TOLERANCE
            n_rounded += gaps.any()
        for name in NUMBERS & set(other):
            assert answer[name] == (other[name] and pytest.approx(other[name], abs=tolerance))
    assert n_rounded <= len(found) / 50


def levels_of(text: str) -> npt.NDArray[np.int64]:
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(np.int64)
