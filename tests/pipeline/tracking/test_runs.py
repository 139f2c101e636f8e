"""Runs in a real MLflow store (SQLite), and without one."""

from unittest.mock import Mock

import mlflow
import numpy as np
import pytest

from pipeline.base.errors import Pruned
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard, Split, digest
from pipeline.network.history import Epoch
from pipeline.tracking.runs import replay, resume_run, start_run
from pipeline.tracking.store import EXPERIMENT

CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, {"train": "a" * 64, "validation": "b" * 64, "test": "c" * 64}, {})
EPOCH = Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001)
SPLIT = Split(np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.int32))


@pytest.fixture
def client(store):
    return mlflow.MlflowClient(store)


@pytest.fixture
def runs(store, client, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    return lambda: client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])


def test_a_run_has_parameters_metrics_data_and_its_origin(runs, client, tmp_path):
    with start_run("a name", load_config(), CARD, Outputs(tmp_path)) as run:
        run.log_data({"train": SPLIT, "validation": SPLIT}, CARD)
        run.log_epoch(EPOCH, seconds=2.0)
        run.log_epoch(Epoch(2, 0.3, 0.9, 0.2, 0.95, 0.001), seconds=2.0)
    found = runs()[0]
    assert (found.info.run_name, found.info.status) == ("a name", "FINISHED")
    assert found.data.params["train.learning_rate"] == str(load_config().train.learning_rate)
    values = client.get_metric_history(found.info.run_id, "val_accuracy")
    assert [(value.step, value.value) for value in values] == [(1, 0.9), (2, 0.95)]
    digests = {entry.dataset.name: entry.dataset.digest for entry in found.inputs.dataset_inputs}
    assert digests == dict.fromkeys(("mnist-train", "mnist-validation"), digest(SPLIT)[:32])
    assert {"git_commit", "dvc_lock_sha256"} <= found.data.tags.keys()
    assert found.data.metrics["system/process_memory_megabytes"] > 0
    assert "numpy==" in mlflow.artifacts.load_text(f"{found.info.artifact_uri}/environment.txt")


def test_later_stages_add_to_the_run_that_made_the_weights(runs, tmp_path):
    outputs = Outputs(tmp_path)
    outputs.weights.parent.mkdir()
    outputs.weights.write_bytes(b"weights")
    for metrics in ({"test_accuracy": 0.5}, {"other": 0.7}):
        with resume_run(outputs) as run:
            run.log_metrics(metrics)
    assert runs()[0].data.metrics == {"test_accuracy": 0.5, "other": 0.7}


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED"), (Pruned, "FINISHED")]
)
def test_a_run_that_ends_early_has_its_status(runs, tmp_path, error, status):
    with pytest.raises(error), start_run("ends early", load_config(), CARD, Outputs(tmp_path)):
        raise error
    assert runs()[0].info.status == status
    assert ("pruned" in runs()[0].data.tags) == (error is Pruned)


def test_a_replay_sends_a_store_what_it_missed_once(runs, client, monkeypatch, tmp_path, caplog):
    outputs = Outputs(tmp_path)
    for file in (outputs.weights, outputs.calibration, outputs.plot("curves.png"), outputs.plot("history.csv")):
        file.parent.mkdir(exist_ok=True)
        file.write_text("some weights")
    with monkeypatch.context() as broken:
        broken.setattr(mlflow.MlflowClient, "log_inputs", Mock(side_effect=OSError("the network is down")))
        with start_run("missed", load_config(), CARD, outputs) as run:
            run.log_data({"train": SPLIT}, CARD)
            run.log_epoch(EPOCH, seconds=2.0)
            run.log_results(outputs, EPOCH, n_weights=7)
        messages = [record.getMessage() for record in caplog.records if record.name == "pipeline.tracking.journal"]
        assert len(messages) == 2  # at the failure and at the end
        with resume_run(outputs) as later:
            later.log_metrics({"test_accuracy": 0.5})
    with monkeypatch.context() as other:
        other.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # must not be used
        assert replay(tmp_path) == (2, 0)
        assert replay(tmp_path) == (0, 0)
    found = [run for run in runs() if run.info.run_name == "missed"]
    assert len(found) == 1
    assert found[0].info.status == "FINISHED"
    assert found[0].data.metrics | {"test_accuracy": 0.5, "n_weights": 7} == found[0].data.metrics
    assert [entry.dataset.name for entry in found[0].inputs.dataset_inputs] == ["mnist-train"]
    assert len(client.get_metric_history(found[0].info.run_id, "val_accuracy")) == 1


def test_a_store_that_does_not_answer_ends_no_run(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with start_run("a", load_config(), CARD, Outputs(tmp_path)) as run:
        run.log_epoch(EPOCH, seconds=2.0)
    messages = [record.getMessage() for record in caplog.records if record.name == "pipeline.tracking.journal"]
    assert "MLflow at http://127.0.0.1:1 failed" in messages[0]
    assert "python -m pipeline.replay" in messages[1]
    assert replay(tmp_path) == (0, 1)
