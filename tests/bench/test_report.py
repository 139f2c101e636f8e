import json

import onnx
import pytest

from bench.report import DOCUMENT, read, report
from pipeline.paths import Outputs


def test_the_document_is_what_the_committed_results_say():
    assert DOCUMENT.read_text() == report(read())


def test_what_has_not_been_measured_is_left_out():
    assert "##" not in report({})


@pytest.mark.parametrize("name", read())
def test_results_are_those_of_the_committed_model_s_parameters(name):
    metadata = {entry.key: entry.value for entry in onnx.load(Outputs().model).metadata_props}
    results = read()[name]
    assert results["params_sha256"] == metadata["params_sha256"]
    assert results["command"].startswith(f"python -m bench.{name}")
    if name == "seeds":
        own = next(iter(results["seeds"].values()))
        assert own["test_accuracy"] == json.loads(metadata["metrics"])["test_accuracy"]
