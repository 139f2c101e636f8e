"""Sweeps from start to end: every trial is in MLflow, as a child of its sweep, with the right status."""

import os
import signal
import time

import pytest

from tests.pipeline.sweeps.conftest import statuses
from tests.pipeline.sweeps.trials import RAISES
from tests.project import wait_until

SWEEP = ("-m", "train.learning_rate=0.1", "runtime.threads=1")


@pytest.mark.slow
def test_a_failed_trial_leaves_the_others_and_all_values_are_recorded(project):
    project.sweep("train.learning_rate=0.25,0.5", f"train.seed=0,{RAISES}", ok=False)
    (sweep,), trials = project.runs()
    assert sweep.info.status == "FAILED"
    assert sweep.data.metrics == {"n_finished": 2, "n_failed": 2, "n_killed": 0, "best_val_accuracy": 0.875}
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {sweep.info.run_id}
    assert "train.learning_rate=0.25,0.5" in sweep.info.run_name
    ran = [(run.data.params["train.learning_rate"], run.data.params["train.seed"], run.info.status) for run in trials]
    assert ran == [("0.25", "0", "FINISHED"), ("0.25", "1", "FAILED"), ("0.5", "0", "FINISHED"), ("0.5", "1", "FAILED")]
    assert sweep.data.tags["best_run"] == trials[0].info.run_id
    assert project.journals() == []


@pytest.mark.slow
def test_every_value_is_checked_before_the_first_trial(project):
    output = project.sweep("train.learning_rate=0.1,7", ok=False)
    assert "error: train.learning_rate: input should be less than or equal to 1, not 7" in output
    assert "Traceback" not in output
    for key in ("runtime.threads", "++runtime.threads"):
        assert "runtime.* can't be swept" in project.sweep(f"{key}=1,2", ok=False)
    assert "did you mean train.epochs?" in project.sweep("train.epohs=1,2", ok=False)
    assert "error: experiment=glob(x*) matches nothing" in project.sweep("experiment=glob(x*)", ok=False)
    assert not (project.directory / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        pytest.param(SWEEP, signal.SIGINT, marks=pytest.mark.workflow),
        pytest.param(SWEEP, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param((*SWEEP, "hydra/launcher=ray_nodes"), signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param((), signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_and_its_sweep_are_recorded_as_killed(project, arguments, sent):
    if "hydra/launcher=ray_nodes" in arguments:
        pytest.importorskip("hydra_plugins.hydra_ray_launcher")
    process = project.start_slow(*arguments)
    process.send_signal(sent)
    process.communicate()
    others, trials = project.runs()
    assert len(trials) == (1 if arguments else 0)
    assert statuses(others + trials) == ["KILLED"] * (len(trials) + 1)


@pytest.mark.slow
def test_a_trial_that_ends_after_its_sweep_is_counted(project):
    process = project.start_slow("-m", "train.learning_rate=0.1,0.2", "hydra/launcher=cores", "hydra.launcher.n_jobs=2")
    wait_until(lambda: len(project.running_trials()) == 2, process)
    process.kill()
    process.wait()
    assert "MLflow now has 1 runs" in project.run("pipeline.replay")
    (sweep,), _ = project.runs()
    assert sweep.data.metrics["n_killed"] == 2
    (project.directory / "go").touch()
    while project.journals():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)  # joblib's processes wait for other work
    process.stdout.close()
    (sweep,), trials = project.runs()
    assert statuses(trials) == ["FINISHED"] * 2
    assert sweep.data.metrics | {"n_killed": 0, "n_finished": 2} == sweep.data.metrics


@pytest.mark.slow
def test_the_next_sweep_ends_the_runs_of_a_killed_one(project):
    process = project.start_slow("-m", "train.learning_rate=0.1,0.2")
    process.kill()
    process.communicate()
    project.sweep("train.learning_rate=0.3")
    sweeps, trials = project.runs()
    assert statuses(sweeps) == statuses(trials) == ["KILLED", "FINISHED"]
    assert sweeps[0].data.metrics["n_killed"] == 1
