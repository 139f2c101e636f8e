"""The command line; what a replay does is in test_tracking.py."""

import subprocess
import sys

import pytest

from pipeline.base.paths import ROOT, Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.tracking.runs import start_run

CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, {"train": "a", "validation": "b", "test": "c"}, {})


def replay(*arguments):
    """Its exit code and what it printed."""
    command = [sys.executable, "-m", "pipeline.replay", *map(str, arguments)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.mark.slow
def test_it_says_how_many_runs_were_told_and_what_to_do_about_the_others(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # nobody is there
    with start_run("a", load_config(), CARD, Outputs(tmp_path)):
        pass
    (journal,) = tmp_path.rglob("*.jsonl")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:2")  # is not asked
    code, said = replay(tmp_path)
    assert code == 1
    assert f"{journal} is not sent" in said
    assert "missed nothing" not in said
    assert "127.0.0.1:2" not in said
    assert "error: MLflow was not told of 1 runs" in said
    assert "the files named above can be deleted" in said
    journal.unlink()
    assert replay(tmp_path) == (0, "MLflow has missed nothing\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(["no/such/place"], "no/such/place is no directory"), ([".", "docs"], "unrecognized arguments: docs")],
)
def test_what_it_can_not_look_through_is_refused(arguments, why):
    code, said = replay(*arguments)
    assert code == 2
    assert why in said
