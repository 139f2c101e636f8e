"""The command line of replay; tracking/test_runs.py has its effects."""

import pytest

from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.tracking.runs import start_run
from tests.project import ROOT, Project

PROJECT = Project(ROOT)
CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, {"train": "a", "validation": "b", "test": "c"}, {})


@pytest.mark.slow
def test_the_output_has_the_number_of_runs_and_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # nothing listens there
    with start_run("a", load_config(), CARD, Outputs(tmp_path)):
        pass
    (journal,) = tmp_path.rglob("*.jsonl")
    printed = PROJECT.run("pipeline.replay", str(tmp_path), ok=False, MLFLOW_TRACKING_URI="http://127.0.0.1:2")
    assert f"{journal} is not sent" in printed
    assert "127.0.0.1:2" not in printed  # the store of the run is used
    assert "error: 1 runs are not in MLflow" in printed
    assert "delete the files named above" in printed
    journal.unlink()
    assert PROJECT.run("pipeline.replay", str(tmp_path)) == "MLflow has missed nothing\n"


@pytest.mark.workflow
def test_a_missing_directory_is_rejected():
    assert "no/such/place is not a directory" in PROJECT.run("pipeline.replay", "no/such/place", ok=False)
