import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace

import mlflow
import pytest

from pipeline.base.files import write_json
from pipeline.config.values import load_config
from pipeline.tracking import runs as tracking
from tests.contract.imports import ROOT
from tests.sweeps.trials import CARD, SLOW

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}


class Project:
    """A copy of what a sweep needs, with a store of its own, and trials that take no time."""

    def __init__(self, directory):
        self.directory = directory
        self.store = f"sqlite:///{directory / 'mlflow.db'}"

    def start(self, *arguments, module="tests.sweeps.trials", **environment):
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.directory, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip

    def start_slow(self, *arguments, **environment):
        """One whose trials run until there is a file `go`; its first one runs."""
        process = self.start(*arguments, f"train.seed={SLOW}", **environment)
        while not list(self.directory.glob("outputs/**/pid")):
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        return process

    def run(self, *arguments, ok=True, **options):
        """What it printed."""
        process = self.start(*arguments, **options)
        said, _ = process.communicate()
        assert (process.returncode == 0) == ok, said
        return said

    def sweep(self, *arguments, **options):
        return self.run("-m", "train.epochs=2", *arguments, **options)

    def runs(self, store=None):
        """The sweeps, and the trials, oldest first; all that the store knows is among them."""
        client = mlflow.MlflowClient(store or self.store)
        experiment = client.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
        assert client.search_runs(["0"]) == []  # the experiment "Default"
        found = client.search_runs([experiment], order_by=["attributes.start_time"])
        trials = [run for run in found if "mlflow.parentRunId" in run.data.tags]
        return [run for run in found if run not in trials], trials

    def journals(self):
        return list(self.directory.rglob("journals/*.jsonl"))


@pytest.fixture
def project(tmp_path):
    for name in ("conf", "hydra_plugins", "pipeline", "serving", "tests/sweeps", "tests/__init__.py", "params.yaml"):
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, tmp_path / name)
    card = replace(CARD, parameters=load_config().model_dump(include={"data", "strokes"}))
    write_json(tmp_path / "data" / "prepared" / "card.json", asdict(card))
    return Project(tmp_path)


def of(runs, what):
    return [getattr(run.info, what) for run in runs]
