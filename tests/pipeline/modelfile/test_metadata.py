import json

import onnx
import pytest

from pipeline.base.classes import CLASSES
from pipeline.base.errors import DataError
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.modelfile.metadata import definition, describe_layers
from pipeline.network.history import Epoch, read_history, save_history
from pipeline.network.networks import build_network


@pytest.fixture(scope="module")
def metadata():
    entries = onnx.load(Outputs().model).metadata_props
    return {entry.key: json.loads(entry.value) for entry in entries if entry.value[0] in "{["}


def metrics(name):
    return json.loads(Outputs().metrics(name).read_text())


def test_training_is_the_history_with_the_kept_epoch(metadata):
    training, kept = metadata["training"], metrics("train")
    history = read_history(Outputs().plot("history.csv"))
    assert len(training["history"]) == len(history)
    assert training["epoch"] == kept["epoch"]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert training["history"][kept["epoch"] - 1][name] == pytest.approx(kept[name], abs=1e-6)
        assert [row[name] for row in training["history"]] == pytest.approx(
            [getattr(row, name) for row in history], abs=1e-6
        )


def test_evaluation_is_what_was_measured(metadata):
    evaluation = metadata["evaluation"]
    assert evaluation["steps"] == metrics("steps")
    assert evaluation["refusal"]["families"] == metrics("refusal")["families"]
    assert {key: evaluation[key] for key in ("confusion", "reliability", "mistakes")} == metrics("details")
    n_wrong = sum(n for i, row in enumerate(evaluation["confusion"]["mnist"]) for j, n in enumerate(row) if i != j)
    assert n_wrong == metadata["metrics"]["test_errors"]
    assert sum(mistake["source"] == "MNIST" for mistake in evaluation["mistakes"]) == n_wrong


def test_parameters_and_network_are_those_of_the_project(metadata):
    network = build_network(load_config().model)
    assert metadata["parameters"] == load_config().model_dump()
    assert metadata["number"] == load_config().number.model_dump()
    assert metadata["classes"] == list(CLASSES)
    assert metadata["network"]["layers"] == describe_layers(network)
    assert metadata["network"]["definition"] == definition(network)


def test_a_history_round_trips_and_a_damaged_file_is_named(tmp_path):
    history = [Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001), Epoch(2, 0.25, 0.9, 1 / 3, 0.95, 0.0)]
    save_history(history, tmp_path / "history.csv")
    assert read_history(tmp_path / "history.csv") == history
    for damaged in ("epoch,loss\n1,0.5\n", "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n1,x,1,1,1,1\n"):
        (tmp_path / "history.csv").write_text(damaged)
        with pytest.raises(DataError, match=r"history\.csv"):
            read_history(tmp_path / "history.csv")
    with pytest.raises(DataError, match="dvc repro train"):
        read_history(tmp_path / "absent.csv")
