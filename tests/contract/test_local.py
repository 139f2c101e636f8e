"""The page reads in the browser as the service does."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.contract.local import TOLERANCE, compare, drawings, levels_of
from tests.web.node import ROOT, node, package

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
const kernel = await reader.readKernel("conv2d_2", 3);
writeFileSync(answers, JSON.stringify({ drawings: read, network, kernel }));
"""


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    "n", [pytest.param(100, marks=pytest.mark.workflow), pytest.param(1000, marks=pytest.mark.slow)]
)
def test_a_browser_reads_as_the_service_does(service: TestClient, tmp_path: Path, n: int) -> None:
    asked = drawings(n)
    details = "full,features" if has_features(service) else "full"  # older files lack them
    answers = [service.post(f"/api/predict?detail={details}", json={"strokes": each}).json() for each in asked]
    grids = b"".join(base64.b64decode(answer["normalized"]) for answer in answers[:N_GRIDS])
    headers = {"content-type": "application/octet-stream"}
    network = service.post("/api/network?layers=true", content=grids, headers=headers).json()
    found = local_answers(service, asked, grids, tmp_path)
    compare(found["drawings"], answers)
    assert {answer["state"] for answer in answers} >= {"digit", "unsure", "not_a_digit"}
    compare(found["network"]["answers"], network["answers"])
    assert found["network"]["model_version"] == network["model_version"]
    kernel = service.get("/api/kernel?layer=conv2d_2&channel=3").json()
    assert found["kernel"] | {"weights": ""} == kernel | {"weights": ""}
    weights = (
        np.frombuffer(base64.b64decode(each["weights"]), np.int8).astype(int) for each in (found["kernel"], kernel)
    )
    assert np.abs(np.subtract(*weights)).max() <= 1
    for layer, expected in zip(found["network"]["layers"], network["layers"], strict=True):
        assert layer | {"peak": 0, "maps": ""} == expected | {"peak": 0, "maps": ""}
        assert layer["peak"] == pytest.approx(expected["peak"], abs=TOLERANCE, rel=TOLERANCE)
        assert np.abs(levels_of(layer["maps"]) - levels_of(expected["maps"])).max() <= 1


def has_features(service: TestClient) -> bool:
    return "features" in [tensor["name"] for tensor in service.get("/api/model").json()["outputs"]]


def local_answers(service: TestClient, asked: list[Any], grids: bytes, folder: Path) -> dict[str, Any]:
    (folder / "card.json").write_text(json.dumps(service.get("/api/model").json()), encoding="utf-8")
    (folder / "model.onnx").write_bytes(Settings.model.read_bytes())
    (folder / "grids").write_bytes(grids)
    (folder / "asked.json").write_text(json.dumps({"drawings": asked}), encoding="utf-8")
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
