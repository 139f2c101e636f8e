"""Grids of six trials. The driver or a worker is killed, and each trial finishes once."""

import contextlib
import os
import signal

import pytest

from pipeline.tracking.grid import RESULT
from tests.pipeline.sweeps.conftest import TRIALS, statuses
from tests.pipeline.sweeps.trials import KILLED_ONCE, RAISES, SLOW
from tests.project import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LAUNCHERS = {
    "basic": (),
    "joblib": ("hydra/launcher=cores", "hydra.launcher.n_jobs=2"),
    "ray": ("hydra/launcher=ray_nodes",),
    "submitit": ("hydra/launcher=submitit_local",),
}


def arguments(launcher, seed):
    if LAUNCHERS[launcher]:
        pytest.importorskip(f"hydra_plugins.hydra_{launcher}_launcher")
    return f"train.seed=10,11,12,{seed},14,15", "runtime.threads=1", *LAUNCHERS[launcher]


def assert_six_finished_once(project):
    (sweep,), trials = project.runs()
    finished = [run.data.params["train.seed"] for run in trials if run.info.status == "FINISHED"]
    assert len(finished) == len(set(finished)) == 6
    assert set(statuses(trials)) <= {"FINISHED", "KILLED"}
    assert sweep.info.status == "FINISHED"


@pytest.mark.parametrize("launcher", ["basic", "joblib", "ray"])
def test_a_grid_goes_on_after_its_driver_was_killed(project, launcher):
    command = arguments(launcher, SLOW)
    process = project.start(TRIALS, "-m", "train.epochs=2", *command)
    wait_until(lambda: len(list(project.directory.rglob(RESULT))) >= 3, process)
    process.kill()
    process.wait()
    process.stdout.close()
    (project.directory / "go").touch()
    assert "continuing the grid" in project.sweep(*command)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # joblib's processes wait for other work
    assert_six_finished_once(project)
    assert "continuing the grid" not in project.sweep(*command)
    assert len(project.runs()[0]) == 2


@pytest.mark.parametrize("launcher", ["joblib", "ray", "submitit"])
def test_the_trial_of_a_killed_worker_is_trained_again(project, launcher):
    project.sweep(*arguments(launcher, KILLED_ONCE))
    (_,), trials = project.runs()
    assert str(KILLED_ONCE) in [run.data.params["train.seed"] for run in trials if run.info.status == "KILLED"]
    assert_six_finished_once(project)


def test_only_the_failed_trial_of_a_grid_is_trained_again(project):
    command = arguments("basic", RAISES)
    for n_runs in (6, 7):
        project.sweep(*command, ok=False)
        (sweep,), trials = project.runs()
        assert (sweep.info.status, len(trials)) == ("FAILED", n_runs)
