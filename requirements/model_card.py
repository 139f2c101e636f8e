"""Describe the model file and its data as CycloneDX components, from its metadata and metrics/."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.base.parts import find_part
from pipeline.base.paths import Outputs
from serving.model.predictor import Predictor

TESTED = {"test": {"mnist": "all"}, "test_drawings": {"pendigits": "all"}}  # parts of the test data
LICENCES = ("CC BY", "MIT")  # beginnings of those that SPDX knows, with - for spaces


def describe_model() -> list[dict[str, Any]]:
    """Return the component of the model, and one for each of its data sets."""
    card = Predictor.load(Outputs().model).card
    data, parameters, network = card.data or {}, card.parameters or {}, card.network or {}
    sets = [_describe_data(name, digest, {**data["parts"], **TESTED}[name]) for name, digest in data["sha256"].items()]
    model_card = {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "classification of images of handwritten digits, with refusal of everything else",
            "architectureFamily": "convolutional neural network",
            "modelArchitecture": f"{parameters['model']['name']}, {network['n_parameters']:,} weights",
            "datasets": [{"ref": one["bom-ref"]} for one in sets],
            "inputs": [{"format": f"{one.name}: {one.datatype} {one.shape}"} for one in card.inputs],
            "outputs": [{"format": f"{one.name}: {one.datatype} {one.shape}"} for one in card.outputs],
        },
        "quantitativeAnalysis": {"performanceMetrics": list(_measured())},
        "considerations": {"technicalLimitations": ["docs/model_card.md#limits"]},
    }
    model = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": Outputs().model.name,
        "version": card.version,
        "hashes": [{"alg": "SHA-256", "content": card.sha256}],
        "licenses": [{"license": {"id": "MIT"}}],
        "modelCard": model_card,
    }
    return [model, *sets]


def _describe_data(name: str, digest: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    licences = sorted({find_part(part).licence for part in parts})
    sources = [f"{part} ({n_images}): {find_part(part).source}" for part, n_images in parts.items()]
    known = [licence.replace(" ", "-") for licence in licences if licence.startswith(LICENCES)]
    return {
        "type": "data",
        "bom-ref": f"data-{name}",
        "name": f"data/prepared, {name}",
        "description": f"{'; '.join(sources)}. The SHA-256 is that of the values of its arrays.",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": licence}} for licence in known],
        "data": [{"type": "dataset", "name": name}],
    }


def _measured() -> Iterator[dict[str, Any]]:
    """Yield the metrics that have a 95 % interval."""
    test, strokes, refusal = (
        json.loads(Outputs().metrics(name).read_text()) for name in ("test", "strokes", "refusal")
    )
    for part, row in {"MNIST": test, **strokes, **refusal["families"]}.items():
        for name, value in row.items():
            if f"{name}_low" in row:
                interval = {"lowerBound": str(row[f"{name}_low"]), "upperBound": str(row[f"{name}_high"])}
                yield {"type": name, "value": str(value), "slice": part, "confidenceInterval": interval}
