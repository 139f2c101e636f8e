import shutil
import signal
from dataclasses import asdict, replace

import pytest

from pipeline.base.files import write_json
from pipeline.config.values import load_config
from pipeline.tracking.store import EXPERIMENT
from tests.pipeline.sweeps.trials import CARD, SLOW
from tests.project import ROOT, Project, end, wait_until

TRIALS = "tests.pipeline.sweeps.trials"
NEEDED = ("conf", "hydra_plugins", "pipeline", "serving", "tests/pipeline/sweeps", "tests/pipeline/__init__.py",
          "tests/__init__.py", "params.yaml", "dvc.yaml")  # fmt: skip


class SweepProject(Project):
    def start_slow(self, *arguments, **environment):
        """Start a sweep whose trials run until a file `go` exists; return when its first trial runs."""
        process = self.start(TRIALS, *arguments, f"train.seed={SLOW}", **environment)
        try:
            wait_until(self.running_trials, process)
        except AssertionError:
            end(process, signal.SIGKILL)
            raise
        return process

    def sweep(self, *arguments, **options):
        return self.run(TRIALS, "-m", "train.epochs=2", *arguments, **options)

    def running_trials(self):
        return list(self.directory.glob("outputs/**/pid"))

    def runs(self, store=None):
        """Return sweeps and trials, oldest first, of a store that has no others."""
        client = self.client(store)
        experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        assert client.search_runs(["0"]) == []  # the experiment "Default"
        found = client.search_runs([experiment], order_by=["attributes.start_time"])
        trials = [run for run in found if "mlflow.parentRunId" in run.data.tags]
        return [run for run in found if run not in trials], trials

    def journals(self):
        return list(self.directory.rglob("journals/*.jsonl"))


@pytest.fixture
def project(tmp_path):
    for name in NEEDED:
        copy = shutil.copy if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, tmp_path / name)
    card = replace(CARD, parameters=load_config().model_dump(include={"data", "strokes"}))
    write_json(tmp_path / "data" / "prepared" / "card.json", asdict(card))
    return SweepProject(tmp_path)


def statuses(runs):
    return [run.info.status for run in runs]
