"""The later stages as DVC runs them, killed while their MLflow run is open; only their work is left out."""

import os
import subprocess
import sys

import mlflow
import pytest

from pipeline.base.paths import ROOT, Outputs
from pipeline.tracking import runs

CODE = """
import os, runpy, signal, sys
from pathlib import Path
from pipeline.base.paths import Outputs
from pipeline.runtime import stage
from pipeline.tracking import runs

def killed_at_work(_):
    with runs.resume_run(Outputs(Path(sys.argv[1]))):
        os.kill(os.getpid(), signal.SIGTERM)

stage.run_stage = killed_at_work
runpy.run_module(f"pipeline.{sys.argv[2]}", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluate", "export"])
def test_sigterm_ends_the_run_too(tmp_path, name):
    outputs, store = Outputs(tmp_path), f"sqlite:///{tmp_path / 'mlflow.db'}"
    outputs.weights.parent.mkdir()
    outputs.weights.write_bytes(b"weights")
    stage = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path), name],
        cwd=ROOT, env=os.environ | {"MLFLOW_TRACKING_URI": store}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert stage.returncode != 0
    client = mlflow.MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name(runs.EXPERIMENT).experiment_id])
    assert run.info.status == "KILLED", stage.stderr
