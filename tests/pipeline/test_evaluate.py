import base64
import contextlib
import json

import numpy as np
import pytest

from pipeline import evaluate
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import Split
from pipeline.evaluation import numbers
from pipeline.sources.unipen import Drawing
from serving.app import REFERENCES

pytestmark = pytest.mark.workflow

STROKES = [np.array([[0, 0], [0, 100]], np.float32), np.array([[0, 100], [60, 100]], np.float32)]
N_DRAWINGS = 3


class Run:
    """Collect what would be sent to the tracking store."""

    def __init__(self):
        self.metrics, self.files = {}, []

    def log_metrics(self, values):
        self.metrics |= values

    def log_plots(self, *files):
        self.files += files


@pytest.fixture(scope="module", params=[True, False], ids=["drawings", "no drawings"])
def project(request, tmp_path_factory, reader, digits):
    """Evaluate a few images. Return the outputs, the run, and whether there were drawings."""
    outputs, run = Outputs(tmp_path_factory.mktemp("project")), Run()
    outputs.metrics("train").parent.mkdir()
    outputs.metrics("train").write_text('{"val_accuracy": 0.98765432}')
    images = Split(digits[0][::500], digits[1][::500])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "load_test_drawings", lambda: [Drawing(1, 1, STROKES)] * N_DRAWINGS * request.param)
        patch.setattr(numbers, "N_EACH", 2)
        patch.setattr(evaluate, "Outputs", lambda: outputs)
        patch.setattr(evaluate, "set_up", lambda *_: None)
        patch.setattr(evaluate, "load_reader", lambda *_: reader)
        patch.setattr(evaluate, "load_split", lambda _: images)
        patch.setattr(evaluate.runs, "resume_run", lambda _: contextlib.nullcontext(run))
        evaluate.evaluate(load_config(["evaluate.nondigits=1"]))
    return outputs, run, request.param


def test_everything_is_written_and_logged(project):
    outputs, run, has_drawings = project
    written = {name: json.loads(outputs.metrics(name).read_text()) for name in ("test", "strokes", "main")}
    assert all(isinstance(written["test"][name], float) for name in REFERENCES), "the service shows only floats"
    assert len(written["strokes"]) == 8 * has_drawings
    assert any(name.startswith("strokes_") for name in written["test"]) == has_drawings
    assert run.metrics == written["test"]
    test = written["test"] | {"val_accuracy": 0.987654, "strokes_worst": written["test"].get("strokes_worst_accuracy")}
    assert written["main"] == {name: test[name] for name in written["main"]}
    assert len(written["main"]) == 4 + 2 * has_drawings
    assert {file.suffix for file in run.files} == {".csv", ".png"}
    assert all(file.stat().st_size for file in run.files)
    for name, n_answers in (("confusion", 10), ("confusion_strokes", N_DRAWINGS * has_drawings)):
        assert len(outputs.plot(f"{name}.csv").read_text().splitlines()) == 1 + n_answers


def test_details_agree_with_the_metrics(project):
    outputs, _, has_drawings = project
    details, test, steps = (json.loads(outputs.metrics(name).read_text()) for name in ("details", "test", "steps"))
    matrices = {name: np.array(matrix) for name, matrix in details["confusion"].items()}
    assert [matrix.sum() for matrix in matrices.values()] == [10, N_DRAWINGS][: 1 + has_drawings]
    assert (1 - np.eye(10)).ravel() @ matrices["mnist"].ravel() == test["test_errors"]
    assert len(details["mistakes"]) == sum(matrix.sum() - np.trace(matrix) for matrix in matrices.values())
    for mistake in details["mistakes"]:
        assert mistake["actual"] != mistake["predicted"]
        assert len(base64.b64decode(mistake["pixels"])) == 28 * 28
    for key, source in {"mnist": "MNIST", "strokes": "pen strokes"}.items():
        if key in matrices:
            assert sum(row["n"] for row in details["reliability"] if row["test"] == source) == matrices[key].sum()
    assert ("all" in steps) == has_drawings
