"""DVC, MLflow and the commands in a project in which every stage ran once."""

import contextlib
import json

import onnx
import pytest

from tests.project import stages_run

N_EPOCHS = 6
STAGES = ["download", "prepare", "train", "evaluate", "export"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def project(copy_trained, tmp_path_factory):
    return copy_trained(tmp_path_factory.mktemp("loop") / "inkling")


def test_every_stage_ran_once(trained, project):
    assert stages_run(trained.read("outputs/repro.log")) == STAGES
    assert project.is_up_to_date()
    assert stages_run(project.run("dvc", "repro")) == []
    assert not list(project.directory.rglob("*partial-*"))
    metadata = {entry.key: entry.value for entry in onnx.load(project.directory / "models/digits.onnx").metadata_props}
    assert json.loads(metadata["parameters"])["data"]["source"] == "embedded"
    assert json.loads(metadata["metrics"]) == json.loads(project.read("metrics/test.json"))


def test_metrics_and_plots_are_shown(project):
    shown = json.loads(project.run("dvc", "metrics", "show", "--json").splitlines()[-1])
    files = next(iter(shown.values()))["data"]
    assert set(files) == {"metrics/main.json"}
    project.run("dvc", "plots", "show")
    page = project.read("dvc_plots/index.html")
    for name in ("Loss", "Accuracy", "Confusion matrix", "curves.png"):
        assert name in page


def test_the_run_in_mlflow_is_complete(trained):
    client = trained.client()
    (run,) = client.search_runs([client.get_experiment_by_name("inkling").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["data.source"] == "embedded"
    for stage, name in (("train", "val_accuracy"), ("test", "test_accuracy")):
        recorded = json.loads(trained.read(f"metrics/{stage}.json"))[name]
        found = run.data.metrics["kept_val_accuracy" if stage == "train" else name]
        assert found == pytest.approx(recorded)
    assert len(client.get_metric_history(run.info.run_id, "val_loss")) == N_EPOCHS
    assert {entry.dataset.name for entry in run.inputs.dataset_inputs} == {"embedded-train", "embedded-validation"}
    with contextlib.chdir(trained.directory):  # the addresses of the artifacts are relative to it
        plots = {file.path for file in client.list_artifacts(run.info.run_id, "plots")}
    assert {"plots/confusion.png", "plots/curves.png"} <= plots
    assert [model.name for model in client.search_logged_models([run.info.experiment_id])] == ["digits"]


def test_an_experiment_on_other_data_than_the_prepared_is_rejected(project):
    refused = project.run("pipeline.train", "data.limit=300", ok=False)
    assert "data.limit=300" in refused
    assert "dvc exp run -S data.limit=300" in refused


def test_a_failed_export_keeps_the_previous_model(project):
    before = (project.directory / "models/digits.onnx").read_bytes()
    params = project.read("params.yaml")
    project.write("params.yaml", params.replace("parity_tolerance: 0.0001", "parity_tolerance: 1.0e-12"))
    printed = project.run("dvc", "repro", ok=False)
    assert "the file answers differently from the evaluated network" in printed
    assert "Traceback" not in printed
    assert (project.directory / "models/digits.onnx").read_bytes() == before
    assert not list(project.directory.rglob("*partial-*"))
    project.write("params.yaml", params)
    assert project.is_up_to_date()


def test_an_experiment_writes_below_its_own_directory(project):
    project.run("pipeline.train", "model.width=0.5")
    for name in ("metrics/train.json", "models/network.weights.h5", "models/calibration.json", "plots/history.csv"):
        assert len(list(project.directory.glob(f"outputs/run/*/{name}"))) == 1
    assert project.is_up_to_date()


def test_another_seed_is_trained_once_and_added_to_the_summary(project):
    assert f"epoch 1/{N_EPOCHS}" in project.run("bench.seeds", "--seeds", "1")
    assert "epoch" not in project.run("bench.seeds", "--seeds", "1")
    summary = json.loads(project.read("bench/results/seeds.json"))
    assert summary["seeds"].keys() == {"42", "1"}
    for stage, name in (("train", "val_accuracy"), ("test", "test_accuracy")):
        own = json.loads(project.read(f"metrics/{stage}.json"))[name]
        assert summary["seeds"]["42"][name] == pytest.approx(own, abs=1e-6)
    assert summary["origin"]["command"] == "python -m bench.seeds --seeds 1"
    assert project.is_up_to_date()
