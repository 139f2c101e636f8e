"""The same sweep with each launcher, also with the real training on a few embedded images."""

import pytest

from tests.pipeline.sweeps.conftest import statuses
from tests.pipeline.sweeps.trials import KILLED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# "hydra/launcher=..." and the plugin that it needs.
LAUNCHERS = {
    "cores": "hydra_joblib_launcher",
    "ray_nodes": "hydra_ray_launcher",
    "submitit_local": "hydra_submitit_launcher",
}
SMALL = ["size=smoke", "data.source=embedded", "model.width=0.25", "train.warmup_epochs=0", "train.epochs=2"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_parallel_trials_on_an_empty_store_all_belong_to_their_sweep(project, launcher):
    pytest.importorskip(f"hydra_plugins.{LAUNCHERS[launcher]}")
    project.sweep("train.learning_rate=0.1,0.2,0.3,0.4", f"hydra/launcher={launcher}", "runtime.threads=1")
    (sweep,), trials = project.runs()
    assert {run.data.params["train.learning_rate"] for run in trials} == {"0.1", "0.2", "0.3", "0.4"}
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {sweep.info.run_id}
    assert statuses([sweep, *trials]) == ["FINISHED"] * 5


def test_a_killed_trial_is_recorded_as_killed_and_its_sweep_as_failed(project):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    project.sweep(f"train.seed=0,{KILLED}", "hydra/launcher=cores", "hydra.launcher.n_jobs=2", ok=False)
    (sweep,), trials = project.runs()
    assert sweep.info.status == "FAILED"
    assert {run.info.status for run in trials if run.data.params.get("train.seed") == str(KILLED)} == {"KILLED"}
    assert "RUNNING" not in statuses(trials)


def test_the_same_trial_has_the_same_accuracy_under_every_launcher(project):
    project.write("params.yaml", project.run("pipeline.config", *SMALL))
    for stage in ("download", "prepare"):
        project.run(f"pipeline.{stage}")
    figures = []
    for launcher in ("basic", *LAUNCHERS):
        if launcher != "basic":
            pytest.importorskip(f"hydra_plugins.{LAUNCHERS[launcher]}")
        into = f"hydra.sweep.dir=outputs/{launcher}"
        project.run("pipeline.train", "-m", "train.learning_rate=0.001,0.004", into, f"hydra/launcher={launcher}")
        figures.append([project.read(f"outputs/{launcher}/{number}/metrics/train.json") for number in "01"])
    assert all(others == figures[0] for others in figures)
