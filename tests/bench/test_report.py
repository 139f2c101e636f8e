import pytest

from bench import bits
from bench.report import DOCUMENT, MEASURED, REPRODUCIBILITY, note, report, reproducibility


def test_the_documents_are_what_the_report_writes_now_and_so_mark_old_figures():
    assert DOCUMENT.read_text() == report()
    assert REPRODUCIBILITY.read_text() == reproducibility(REPRODUCIBILITY.read_text())


@pytest.mark.parametrize("found", ["other model", "other code", "unknown code", "other arguments"])
def test_figures_of_another_state_are_marked(monkeypatch, found):
    monkeypatch.setattr("bench.report.state", lambda name, results: found)
    assert report().count(note(found)) == report().count("\n## ")
    assert note("current") == ""


def test_a_document_has_no_measured_part_without_results(monkeypatch):
    monkeypatch.setattr("bench.report.read", lambda name: None)
    assert reproducibility(f"# Head\n\n{MEASURED}old\n") == "# Head\n"
    assert "##" not in report()


def test_bits():
    row = {"equal": False, "differing": {"weights": {"arrays": 2, "of": 3, "largest": 0.25}}}
    results = {"origin": {"command": "c", "cpu": "x", "n_cores": 2}, "steps": 3, "emulated": {},
               "changed": {"fast": row}, "held": {"load": {"equal": True, "differing": {}}},
               "step_ms": {"portable": [3.0, 4.0], "fast": [2.0, 2.0]}}  # fmt: skip
    text = bits.section(results)
    assert "| around it | load | equal |" in text
    assert "weights 2 of 3, 2.5e-01" in text
    assert "takes 1.75 (1.50 to 2.00)" in text
