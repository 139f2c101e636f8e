import pytest

from bench import network_sha256
from bench.report import DOCUMENT, MAY_BE_OLD, REPRODUCIBILITY, bits, read, read_bits, report
from pipeline.config.values import load_config


def test_the_documents_agree_with_the_committed_results():
    assert DOCUMENT.read_text() == report(read())
    assert REPRODUCIBILITY.read_text() == bits(REPRODUCIBILITY.read_text(), read_bits())


def test_bits():
    row = {"equal": False, "differing": {"weights": {"arrays": 2, "of": 3, "largest": 0.25}}}
    results = {"command": "c", "cpu": "x", "n_cores": 2, "steps": 3, "held": {"load": {"equal": True}}, "emulated": {},
               "changed": {"fast": row}, "step_ms": {"portable": [3.0, 4.0], "fast": [2.0, 2.0]}}  # fmt: skip
    text = bits("# Head\n\n## Measured\n\nold\n", results)
    assert "old" not in text
    assert "weights 2 of 3, 2.5e-01" in text
    assert "takes 1.75 (1.50 to 2.00)" in text
    assert bits(text, results) == text
    assert bits(text, None) == "# Head\n"
    assert "##" not in report({})


@pytest.mark.parametrize("name", sorted(read().keys() - {"networks", *MAY_BE_OLD}))
def test_results_belong_to_the_parameters_of_the_committed_model(name):
    results = read()[name]
    assert results["params_sha256"] == network_sha256(load_config())
    assert results["command"].startswith(f"python -m bench.{name}")
