import json

import mlflow
import numpy as np
import pytest

from pipeline import promote
from pipeline.base.errors import PromotionError, RegistryError
from pipeline.base.paths import Outputs
from pipeline.config.values import dump, load_config
from pipeline.dataset.splits import DataCard, Split
from pipeline.network.history import Epoch
from pipeline.promote import objection, rank
from pipeline.registry.store import Trial, find_trials, load_sweep
from pipeline.tracking import runs
from pipeline.tracking.store import EXPERIMENT, uri

LEARNT = "train.parts=[mnist,nondigits]"
CONFIG = load_config([LEARNT])
SHA256 = {"train": "a", "validation": "b", "test": "c"}
PARTS = {"train": {"mnist": 2}, "validation": {"mnist": 3, "nondigits": 1, "skeletons": 2}}
CARD = DataCard("mnist", "MNIST", 2, 6, 2, PARTS, 0, SHA256, {})


def values(**overrides):
    return {key: str(value) for key, value in (runs.parameters(CONFIG) | overrides).items()}


def trial(accuracy, status="FINISHED", sha256=SHA256, lacking="", **overrides):
    tags = {runs.DATA_TAG: json.dumps(sha256)}
    metrics = {"kept_val_accuracy": accuracy, "kept_val_loss": 0.1, "n_weights": 195_051}
    parameters = {key: text for key, text in values(**overrides).items() if key != lacking}
    return Trial(f"run {accuracy}", "a", status, parameters, metrics, tags, 1.0, "1")


def test_settings_are_ranked_by_their_mean_over_seeds():
    lucky = [trial(accuracy, **{"train.seed": seed}) for seed, accuracy in ((1, 0.999), (2, 0.981))]
    steady = [
        trial(accuracy, **{"train.seed": seed, "model.width": 2.0}) for seed, accuracy in ((1, 0.991), (2, 0.993))
    ]
    first, second = rank([*lucky, *steady], CONFIG)
    assert (first.overrides, first.accuracy) == ({"model.width": 2.0}, pytest.approx(0.992))
    assert first.config.train.seed == CONFIG.train.seed
    assert (second.overrides, second.accuracies) == ({}, {"1": 0.999, "2": 0.981})
    assert "97.93% to 100.47% (2)" in first.row(1000)
    (single,) = rank([trial(0.9)], CONFIG)
    assert "87.98% to 91.71%" in single.row(1000)  # Wilson's interval of 900 in 1,000
    names = ("rotation", "scale", "shear", "shift")
    (long,) = rank([trial(0.9, **{f"train.augment.{name}": 0.0001 for name in names})], CONFIG)
    assert max(map(len, long.row(1000).splitlines())) <= 120
    assert long.row(1000).split()[-4:] == [f"train.augment.{name}=0.0001" for name in names]


@pytest.mark.parametrize(
    ("key", "value"),
    [("train.patience", 3), ("train.learning_rate", 1e-05), ("train.optimizer", "adamw"), ("train.augment.shift", 0.0)],
)
def test_a_promoted_value_has_its_type(key, value):
    (setting,) = rank([trial(0.9, **{key: value, "runtime.threads": 7})], CONFIG)  # the machine's stays
    assert setting.overrides == {key: value}
    assert dump(setting.config) == dump(load_config([LEARNT, f"{key}={value}"]))


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (trial(0.9, status="FAILED"), "it is FAILED"),
        (trial(0.9, sha256=SHA256 | {"train": "d"}), "its data is not data/prepared: sweep again"),
        (trial(0.9, **{"model.depth": 7}), "only one of params.yaml and the run has model.depth"),
        (trial(0.9, lacking="model.width"), "only one of params.yaml and the run has model.width"),
        (trial(0.9, **{"train.learning_rate": 7}), "train.learning_rate: input should be less than or equal to 1"),
        (Trial("1", "a", "FINISHED", values(), {}, {}, 0.0, "1"), "no kept_val_accuracy"),
    ],
)
def test_a_trial_that_can_not_be_promoted_has_a_reason(refused, why):
    assert why in objection(refused, CONFIG, CARD)
    assert objection(trial(0.9, **{"train.patience": 3}), CONFIG, CARD) is None


@pytest.fixture
def params(store, monkeypatch, tmp_path):
    """params.yaml of another project, with the card of its data."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(promote, "load_config", lambda: CONFIG)
    monkeypatch.setattr(promote, "load_card", lambda: CARD)
    split = Split(np.zeros((6, 28, 28), np.uint8), np.array([1, 2, 3, -1, 4, 5], np.int32))
    monkeypatch.setattr(promote, "load_split", lambda _: split)
    monkeypatch.setattr(promote, "PARAMS", tmp_path / "params.yaml")
    promote.PARAMS.write_text(dump(CONFIG))
    return promote.PARAMS


def run(overrides, accuracy):
    """Record a training in the store and return its run ID."""
    with runs.start_run("a", load_config([LEARNT, *overrides]), CARD, Outputs(promote.PARAMS.parent)) as started:
        started.log_metrics({"kept_val_accuracy": accuracy, "kept_val_loss": 0.1, "n_weights": 195_051})
        for number, seconds in ((1, 2.0), (2, 3.0)):
            started.log_epoch(Epoch(number, 0.1, 0.9, 0.1, 0.9, 0.001), seconds)
    return find_trials("", max_results=1)[0].run_id


def sweep(*trials):
    """Record a sweep and return the IDs of the parent and the trials."""
    client = mlflow.MlflowClient(uri())
    made = [run(*trial) for trial in trials]
    parent = client.create_run(client.get_experiment_by_name(EXPERIMENT).experiment_id).info.run_id
    for trial in made:
        client.set_tag(trial, "mlflow.parentRunId", parent)
    return parent, made


def test_the_best_values_of_the_latest_sweep_are_written(params, capsys):
    run([], 0.5)
    for missing in (None, "abc"):
        with pytest.raises(RegistryError, match=f"has no sweep '{missing or ''}'"):
            promote.promote(missing, None)
    first, (other, _) = sweep((["train.learning_rate=0.5"], 0.99), (["model.width=0.5"], 0.95))
    sweep((["train.learning_rate=0.003"], 0.9), (["train.learning_rate=0.004"], 0.8))
    assert [trial.seconds for trial in load_sweep(first)] == [5.0, 5.0]

    promote.promote(None, None)
    assert params.read_text() == dump(load_config([LEARNT, "train.learning_rate=0.003"]))
    printed = capsys.readouterr().out
    assert "-  learning_rate: 0.006\n+  learning_rate: 0.003\n" in printed
    assert "90.00%  " in printed
    assert "195,051" in printed

    promote.promote(None, other)
    assert params.read_text() == dump(load_config([LEARNT, "train.learning_rate=0.5"]))
    promote.promote(first, None)
    assert params.read_text() == dump(load_config([LEARNT, "train.learning_rate=0.5"]))


def test_an_error_names_the_run_that_can_not_be_promoted(params):
    _, (broken,) = sweep((["model.width=0.5"], 0.95))
    mlflow.MlflowClient(uri()).set_terminated(broken, "KILLED")
    with pytest.raises(PromotionError, match=f"run {broken} can't be promoted: it is KILLED"):
        promote.promote(None, broken)
    with pytest.raises(PromotionError, match=r"sweep .* can't be promoted: it is KILLED"):
        promote.promote(None, None)
    with pytest.raises(RegistryError, match="nowhere"):
        promote.promote(None, "nowhere")
    assert params.read_text() == dump(CONFIG)
