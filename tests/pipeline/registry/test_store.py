"""A registry of its own (SQLite), with the committed model in it."""

import hashlib
from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest

from pipeline import fetch
from pipeline.base.errors import RegistryError
from pipeline.base.files import file_sha256
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.lineage import LineageError, trace
from pipeline.provenance.checks import AGREES, DIFFERS
from pipeline.provenance.text import describe
from pipeline.registry import store as registry
from pipeline.tracking import runs as tracking
from serving.model.predictor import Predictor

CARD = DataCard("mnist", "MNIST", 2, 4, 2, {}, 0, {"train": "a", "validation": "b", "test": "c"}, {})
# MLflow warns of its own type hints when it first stores a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

MODEL = Outputs().model
IMAGE = np.zeros((1, 28, 28), np.uint8)


def export(file):
    """A run that exports a file, as `export` does."""
    config = load_config()
    with tracking.start_run("a", config, CARD, Outputs(Path.cwd())) as run:
        run.log_export(config.export.model_dump())
        run.log_model(file, {"image": IMAGE}, vars(Predictor.load(MODEL).run(IMAGE)))


@pytest.fixture
def fetched(store, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "FETCHED", tmp_path / "fetched")
    return fetch.FETCHED


def test_an_empty_registry_says_what_to_do(fetched):
    assert registry.versions() == {}
    with pytest.raises(RegistryError, match=r"no model 'champion'; it is empty: run `python -m pipeline\.register`"):
        fetch.fetch("champion")
    with pytest.raises(RegistryError, match="no run that exported the file abc"):
        registry.find_export("abc")


def test_a_file_is_one_version_and_comes_back_byte_by_byte(fetched):
    export(MODEL)
    found = registry.find_export(file_sha256(MODEL))
    version = registry.add_version(found)
    assert (version.number, version.sha256) == ("1", file_sha256(MODEL))
    assert registry.add_version(found) == version
    assert registry.versions() == {"1": version, "challenger": version}
    model = mlflow.models.Model.load(f"models:/{registry.MODEL}/1")
    assert model.signature.inputs.input_names() == ["image"]
    assert np.array_equal(model.load_input_example()["image"], IMAGE)
    registry.set_champion(version)
    registry.tag_version(version, {"gate.size_bytes": "holds"})
    assert registry.versions() == {"1": version, "challenger": version, "champion": version}
    assert mlflow.MlflowClient().get_model_version("digits", "1").tags["gate.size_bytes"] == "holds"
    for name in ("champion", "1"):
        path = fetch.fetch(name)
        assert path == fetched / f"{name}.onnx"
        assert path.read_bytes() == MODEL.read_bytes()
    with pytest.raises(RegistryError, match=r"no model 'best'; it has 1, challenger, champion"):
        fetch.fetch("best")


def test_of_many_runs_that_exported_a_file_only_the_latest_is_loaded(fetched, monkeypatch):
    client = mlflow.MlflowClient(tracking.uri())
    found = client.get_experiment_by_name(tracking.EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(tracking.EXPERIMENT)
    runs = [client.create_run(experiment, when, {tracking.MODEL_TAG: "2" * 64}).info.run_id for when in (1, 3, 2)]
    loaded = []
    monkeypatch.setattr(mlflow.MlflowClient, "get_metric_history", lambda _, run_id, __: loaded.append(run_id) or [])
    assert registry.find_export("2" * 64).run_id == runs[1]
    assert loaded == [runs[1]]
    assert [one.run_id for one in registry.find_exports("2" * 64)] == [runs[1], runs[2], runs[0]]


def test_a_model_that_the_store_missed_is_there_after_a_replay(fetched, monkeypatch, tmp_path):
    model = onnx.load(MODEL)
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in model.metadata_props} | {"another": "1"})
    file = tmp_path / ".partial-digits.onnx"  # `export` renames it as soon as it is checked
    onnx.save(model, file)
    sha256 = file_sha256(file)
    with monkeypatch.context() as broken:
        broken.setattr("mlflow.onnx.log_model", _fail)
        export(file)
    file.unlink()
    with pytest.raises(RegistryError, match="no run that exported"):
        registry.find_export(sha256)
    assert tracking.replay(tmp_path) == (1, 0)
    assert registry.add_version(registry.find_export(sha256)).sha256 == sha256


def test_the_lineage_of_a_model_has_its_runs_and_its_version(fetched, tmp_path):
    model = onnx.load(MODEL)
    further = {"one": "more", "parameters": load_config().model_dump_json()}
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in model.metadata_props} | further)
    file = tmp_path / "digits.onnx"
    onnx.save(model, file)
    sha256 = file_sha256(file)
    export(file)
    run = registry.find_export(sha256)
    version = registry.add_version(run)
    registry.tag_version(version, {"git_commit": "0" * 40})
    # It is in no commit and no file: MLflow alone has it, and its bytes.
    found = trace(sha256[:10], tmp_path)
    assert (found.sha256, found.md5) == (sha256, hashlib.md5(file.read_bytes()).hexdigest())
    assert [one.run_id for one in found.runs] == [run.run_id]
    assert found.versions == {version: ["challenger"]}
    assert {(one.what, one.result) for one in found.checks} == {("parameters", AGREES), ("data", DIFFERS)}
    assert {one.part for one in found.missing} == {"git", "dvc.lock"}
    text = describe(found)
    for said in (f"version {version.number} (challenger) of the registry", f"registered     {'0' * 40}", run.run_id):
        assert said in text
    # The same run exports again, and its tag names the other file: the version still leads to the run.
    mlflow.MlflowClient().set_tag(run.run_id, tracking.MODEL_TAG, "1" * 64)
    assert registry.find_exports(sha256) == []
    assert [one.run_id for one in trace(sha256, tmp_path).runs] == [run.run_id]
    with pytest.raises(LineageError, match=r"1234abcd was made; searched: .*the registry of MLflow at sqlite"):
        trace("1234abcd", tmp_path)


def test_a_lineage_goes_on_without_a_server_that_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    found = trace(str(MODEL), tmp_path)
    assert found.card
    assert not found.is_known
    assert any("MLflow at http://127.0.0.1:1" in one.what for one in found.missing)


def _fail(*_, **__):
    raise OSError("the network is down")


def test_other_bytes_than_were_registered_are_refused(fetched):
    other = registry.Version("1", "0" * 64)
    with pytest.raises(RegistryError, match="version 1 is not the one that was registered"):
        registry.fetch(other, fetched / "1.onnx")
    assert not list(fetched.glob("*"))


def test_a_server_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(RegistryError, match=r"MLflow at http://127\.0\.0\.1:1"):
        fetch.fetch("champion")
