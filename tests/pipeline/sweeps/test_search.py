"""Searches by Optuna: failed, pruned and killed trials, killed drivers."""

import csv
from collections import Counter

import pytest

from tests.pipeline.sweeps.conftest import statuses
from tests.pipeline.sweeps.trials import KILLED, NAN, RAISES, SLOW

pytestmark = pytest.mark.slow

SEARCH = ("hydra/sweeper=optuna", "train.learning_rate=interval(0.1, 0.9)")


@pytest.fixture(autouse=True)
def needs_optuna():
    """Import Optuna only for these tests, because the import takes a second."""
    pytest.importorskip("optuna")


def states(project, study="search"):
    import optuna

    found = optuna.load_study(study_name=study, storage=f"sqlite:///{project.directory / 'optuna.db'}")
    return Counter(trial.state.name for trial in found.trials)


def test_failed_and_nan_trials_are_recorded_and_the_search_goes_on(project):
    project.sweep(*SEARCH, f"train.seed=choice(0,{RAISES},{NAN})", "hydra.sweeper.n_trials=8")
    (sweep,), trials = project.runs()
    seeds = Counter(int(run.data.params["train.seed"]) for run in trials)
    assert len(seeds) == 3  # otherwise nothing is tested
    assert states(project) == {"COMPLETE": seeds[0], "FAIL": seeds[RAISES] + seeds[NAN]}
    assert sweep.info.status == "FINISHED"
    assert Counter(statuses(trials)) == {"FINISHED": seeds[0] + seeds[NAN], "FAILED": seeds[RAISES]}


def test_a_search_continues_after_its_driver_was_killed(project):
    arguments = [*SEARCH, "hydra.sweeper.n_trials=4"]
    process = project.start_slow("-m", "train.epochs=2", *arguments)
    assert "is being searched by another process" in project.sweep(*arguments, f"train.seed={SLOW}", ok=False)
    process.kill()
    process.communicate()
    (project.directory / "go").touch()
    project.sweep(*arguments, f"train.seed={SLOW}")
    assert states(project) == {"COMPLETE": 4, "FAIL": 1}
    (sweep,), trials = project.runs()  # one study, one run
    assert sweep.info.status == "FINISHED"
    assert Counter(statuses(trials)) == {"FINISHED": 4, "KILLED": 1}
    interrupted, again = trials[:2]
    assert interrupted.data.params["train.learning_rate"] == again.data.params["train.learning_rate"]
    assert "has its 4 trials" in project.sweep(*arguments, f"train.seed={SLOW}")
    assert states(project) == {"COMPLETE": 4, "FAIL": 1}


def test_a_study_belongs_to_one_search_and_unknown_objectives_are_rejected(project):
    project.sweep(*SEARCH, "hydra.sweeper.n_trials=1")
    output = project.sweep(*SEARCH, "model.width=0.5", "hydra.sweeper.n_trials=2", ok=False)
    assert "error: the study 'search' belongs to another search" in output
    output = project.sweep(*SEARCH, "+hydra.sweeper.objectives.latency=minimize", "hydra.sweeper.study=other", ok=False)
    assert "error: hydra.sweeper.objectives: latency is not one of val_accuracy, n_weights" in output
    sweeps, trials = project.runs()
    assert len(sweeps) == len(trials) == 1


def test_a_search_in_which_every_trial_fails_fails_with_the_reason(project):
    output = project.sweep(*SEARCH, f"train.seed={RAISES}", "hydra.sweeper.n_trials=2", ok=False)
    assert "as its seed demands" in output
    assert "error: every trial of the study 'search' failed" in output
    assert statuses(project.runs()[0]) == ["FAILED"]


def test_losing_trials_are_pruned(project):
    pruner = "hydra.sweeper.pruner={_target_: optuna.pruners.MedianPruner, n_startup_trials: 2, n_warmup_steps: 1}"
    project.sweep(*SEARCH, pruner.replace(" ", ""), "hydra.sweeper.n_trials=8")
    n_pruned = states(project)["PRUNED"]
    assert n_pruned
    (sweep,), trials = project.runs()
    assert sweep.data.metrics["n_finished"] == len(trials) == 8
    assert sum("pruned" in run.data.tags for run in trials) == n_pruned


def test_the_pareto_front_of_two_objectives_is_recorded(project):
    project.sweep("hydra/sweeper=two_objectives", "hydra.sweeper.n_trials=6")
    (table,) = project.directory.glob("mlartifacts/*/artifacts/plots/best_trials.csv")
    front = list(csv.DictReader(table.read_text().splitlines()))
    sizes = [float(row["n_weights"]) for row in front]
    assert sizes == sorted(sizes)  # rows are sorted by accuracy, which on the front grows with the size
    assert {"val_accuracy", "model.width", "train.learning_rate"} <= front[0].keys()


def test_a_killed_trial_does_not_end_the_search(project):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    cores = ("hydra/launcher=cores", "hydra.launcher.n_jobs=2", "hydra.sweeper.n_parallel=2")
    project.sweep(*SEARCH, *cores, f"train.seed=choice(0,{KILLED})", "hydra.sweeper.n_trials=6")
    found, ((sweep,), trials) = states(project), project.runs()
    assert found["COMPLETE"] + found["FAIL"] == 6
    assert min(found["FAIL"], found["COMPLETE"]) > 0
    assert sweep.info.status == "FINISHED"
    assert {run.info.status for run in trials if run.data.params["train.seed"] == str(KILLED)} == {"KILLED"}
    assert "RUNNING" not in statuses(trials)
