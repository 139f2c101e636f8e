import json

import onnx
import pytest

from bench.report import DOCUMENT, REPRODUCIBILITY, bits, read, read_bits, report
from pipeline.base.paths import Outputs


def test_the_document_is_what_the_committed_results_say():
    assert DOCUMENT.read_text() == report(read())


def test_the_measured_end_of_reproducibility_is_what_the_committed_results_say():
    assert REPRODUCIBILITY.read_text() == bits(REPRODUCIBILITY.read_text(), read_bits())


def test_bits_are_told_by_what_differs():
    row = {"equal": False, "differing": {"weights": {"arrays": 2, "of": 3, "largest": 0.25}}}
    results = {"command": "c", "cpu": "x", "n_cores": 2, "steps": 3, "held": {"load": {"equal": True}}, "emulated": {},
               "changed": {"fast": row}, "step_ms": {"portable": [3.0, 4.0], "fast": [2.0, 2.0]}}  # fmt: skip
    text = bits("# Head\n\n## Measured\n\nold\n", results)
    assert "old" not in text
    assert "weights 2 of 3, 2.5e-01" in text
    assert "takes 1.75 (1.50 to 2.00)" in text
    assert bits(text, results) == text
    assert bits(text, None) == "# Head\n"


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
