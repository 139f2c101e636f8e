"""A real MLflow store (SQLite), and none."""

import logging

import mlflow
import numpy as np
import pytest

from pipeline import tracking
from pipeline.config import load_config
from pipeline.data import DataCard, Split
from pipeline.history import Epoch

CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, {"train": "a" * 64, "validation": "b" * 64, "test": "c" * 64}, {})
SPLIT = Split(np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.int32))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A database of its own; made once, because making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def runs(store, monkeypatch, tmp_path):
    """A function that returns the runs of the store."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    return lambda: mlflow.search_runs(experiment_names=[tracking.EXPERIMENT], output_format="list")


def test_a_run_carries_parameters_metrics_data_and_its_origin(runs):
    with tracking.start_run("a name", load_config(), CARD) as run:
        run.log_data({"train": SPLIT, "validation": SPLIT}, CARD)
        run.log_epoch(Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001), seconds=2.0)
        run.log_epoch(Epoch(2, 0.3, 0.9, 0.2, 0.95, 0.001), seconds=2.0)
    found = runs()[0]
    assert found.info.run_name == "a name"
    assert found.info.status == "FINISHED"
    assert found.data.params["train.learning_rate"] == str(load_config().train.learning_rate)
    assert found.data.metrics["val_accuracy"] == 0.95
    values = mlflow.MlflowClient().get_metric_history(found.info.run_id, "val_accuracy")
    assert [(value.step, value.value) for value in values] == [(1, 0.9), (2, 0.95)]
    digests = {entry.dataset.name: entry.dataset.digest for entry in found.inputs.dataset_inputs}
    assert digests == {"mnist-train": "a" * 32, "mnist-validation": "b" * 32}
    assert found.data.tags["git_commit"]


def test_later_stages_add_to_the_run_that_made_the_weights(runs, tmp_path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"weights")
    with tracking.resume_run(weights) as run:
        run.log_metrics({"test_accuracy": 0.5})
    with tracking.resume_run(weights) as run:
        run.log_metrics({"other": 0.7})
    assert runs()[0].data.metrics == {"test_accuracy": 0.5, "other": 0.7}


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_that_ends_early_says_so(runs, error, status):
    with pytest.raises(error), tracking.start_run("fails", load_config(), CARD):
        raise error
    assert runs()[0].info.status == status
    assert mlflow.active_run() is None


def test_a_store_that_fails_on_the_way_does_not_take_the_next_run_along(runs, monkeypatch):
    def fail(*_, **__):
        raise OSError("the disk is full")

    with tracking.start_run("loses its store", load_config(), CARD) as run, monkeypatch.context() as broken:
        broken.setattr(mlflow, "log_metrics", fail)
        run.log_metrics({"a": 1.0})
    with tracking.start_run("the next", load_config(), CARD):
        pass
    assert [run.info.status for run in runs()[:2]] == ["FINISHED", "FINISHED"]
    assert runs()[0].info.run_name == "the next"


def test_without_git_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert tracking._git_commit() == "none"


def test_without_a_server_work_goes_on_and_it_is_said_once(monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with caplog.at_level(logging.WARNING, "pipeline.tracking"), tracking.start_run("a", load_config(), CARD) as run:
        run.log_data({"train": SPLIT}, CARD)
        run.log_epoch(Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001), seconds=2.0)
        run.log_metrics({"a": 1.0})
    messages = [record.getMessage() for record in caplog.records if record.name == "pipeline.tracking"]
    assert len(messages) == 1
    assert "http://127.0.0.1:1 does not answer" in messages[0]
