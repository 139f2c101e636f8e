import os
import subprocess
import sys

import mlflow
import pytest

from pipeline.base.paths import ROOT
from pipeline.tracking.runs import EXPERIMENT

CODE = """
import os, signal
from pathlib import Path
from pipeline.base.paths import Outputs
from pipeline.runtime.stage import run_stage
from pipeline.tracking import runs

def work(config):
    with runs.resume_run(Outputs(Path(os.environ["OUTPUTS"]))):
        os.kill(os.getpid(), signal.SIGTERM)

run_stage(work)
"""


@pytest.mark.slow
def test_sigterm_marks_the_run_of_a_stage_as_killed(tmp_path):
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    (tmp_path / "models").mkdir()
    (tmp_path / "models/network.weights.h5").write_bytes(b"weights")
    environment = os.environ | {"MLFLOW_TRACKING_URI": store, "OUTPUTS": str(tmp_path)}
    stage = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert stage.returncode != 0
    client = mlflow.MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert run.info.status == "KILLED", stage.stderr
