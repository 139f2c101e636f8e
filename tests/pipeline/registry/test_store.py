"""A registry (SQLite) with the committed model."""

from pathlib import Path
from unittest.mock import Mock

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
from pipeline.registry import store
from pipeline.tracking import runs
from pipeline.tracking.store import EXPERIMENT, opened, uri
from serving.model.predictor import Predictor
from serving.signature import signature_of

CARD = DataCard("mnist", "MNIST", 2, 4, 2, {}, 0, {"train": "a", "validation": "b", "test": "c"}, {})
# MLflow warns of its own type hints when it first stores a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

MODEL = Outputs().model
IMAGE = np.zeros((1, 28, 28), np.uint8)


def export(file):
    """Record an export."""
    config = load_config()
    with runs.start_run("a", config, CARD, Outputs(Path.cwd())) as run:
        run.log_export(config.export.model_dump())
        run.log_model(file, {"image": IMAGE}, vars(Predictor.load(MODEL).run(IMAGE)))


def save_model(file, **metadata):
    """Save the committed model with other metadata, and return its SHA-256."""
    model = onnx.load(MODEL)
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in model.metadata_props} | metadata)
    onnx.save(model, file)
    return file_sha256(file)


@pytest.fixture
def fetched(store, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "FETCHED", tmp_path / "fetched")
    return fetch.FETCHED


def test_a_deleted_experiment_is_named_with_its_cure(fetched):
    with opened(uri()) as client:
        deleted = client.create_experiment(EXPERIMENT)
        client.delete_experiment(deleted)
    do = f"was deleted: restore it with `mlflow experiments restore --experiment-id {deleted}`"
    with pytest.raises(RegistryError, match=do):
        store.find_trials("")
    with opened(uri()) as client:
        client.restore_experiment(deleted)
    assert store.find_trials("") == []


def test_errors_of_an_empty_registry_name_the_remedy(fetched):
    assert store.versions() == {}
    with pytest.raises(RegistryError, match=r"no model 'champion'; it is empty: run `python -m pipeline\.register`"):
        fetch.fetch("champion")
    with pytest.raises(RegistryError, match="no run that exported the file abc"):
        store.find_export("abc")


def test_a_file_has_one_version_and_is_fetched_byte_by_byte(fetched):
    export(MODEL)
    found = store.find_export(file_sha256(MODEL))
    version = store.add_version(found)
    assert (version.number, version.sha256) == ("1", file_sha256(MODEL))
    assert store.add_version(found) == version
    assert store.versions() == {"1": version, "challenger": version}
    model = mlflow.models.Model.load(f"models:/{store.MODEL}/1")
    assert model.signature.inputs.input_names() == ["image"]
    assert np.array_equal(model.load_input_example()["image"], IMAGE)
    store.tag_version(version, {"gate.size_bytes": "holds"}, is_champion=True)
    assert store.versions() == {"1": version, "challenger": version, "champion": version}
    assert mlflow.MlflowClient().get_model_version("digits", "1").tags["gate.size_bytes"] == "holds"
    for name, signature in (("champion", ""), ("1", "a signature" * 1000), ("1", "")):
        store.tag_version(version, {store.SIGNATURE_TAG: signature})
        path = fetch.fetch(name)
        assert signature_of(path).exists() == bool(signature)
        assert not signature or signature_of(path).read_text() == signature
        assert path == fetched / f"{name}.onnx"
        assert path.read_bytes() == MODEL.read_bytes()
    with pytest.raises(RegistryError, match=r"no model 'best'; it has 1, challenger, champion"):
        fetch.fetch("best")


def test_a_model_that_the_store_missed_is_registered_after_a_replay(fetched, monkeypatch, tmp_path):
    file = tmp_path / ".partial-digits.onnx"  # `export` renames it after its checks
    sha256 = save_model(file, another="1")
    with monkeypatch.context() as broken:
        broken.setattr("mlflow.onnx.log_model", Mock(side_effect=OSError("the network is down")))
        export(file)
    file.unlink()
    with pytest.raises(RegistryError, match="no run that exported"):
        store.find_export(sha256)
    assert runs.replay(tmp_path) == (1, 0)
    assert store.add_version(store.find_export(sha256)).sha256 == sha256


def test_the_lineage_of_a_model_has_its_runs_and_its_version(fetched, tmp_path):
    file = tmp_path / "digits.onnx"
    sha256 = save_model(file, another="2", parameters=load_config().model_dump_json())
    export(file)
    run = store.find_export(sha256)
    version = store.add_version(run)
    store.tag_version(version, {"git_commit": "0" * 40})
    # Only MLflow has the model.
    found = trace(sha256[:10], tmp_path)
    assert (found.sha256, found.content) == (sha256, file.read_bytes())
    assert [one.run_id for one in found.runs] == [run.run_id]
    assert [(one.number, one.aliases) for one in found.versions] == [(version.number, ["challenger"])]
    assert {(one.what, one.result) for one in found.checks} == {("parameters", AGREES), ("data", DIFFERS)}
    assert found.missing.keys() == {"git"}
    text = "\n".join(describe(found))
    for part in (f"version {version.number} (challenger) of the registry", f"registered     {'0' * 40}", run.run_id):
        assert part in text
    # After another export of the run, only the version names it.
    mlflow.MlflowClient().set_tag(run.run_id, runs.MODEL_TAG, "1" * 64)
    assert [one.run_id for one in trace(sha256, tmp_path).runs] == [run.run_id]
    with pytest.raises(LineageError, match=r"1234abcd is unknown; searched: .* MLflow at sqlite"):
        trace("1234abcd", tmp_path)


def test_a_server_that_does_not_answer_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(RegistryError, match=r"MLflow at http://127\.0\.0\.1:1"):
        fetch.fetch("champion")
    found = trace(str(MODEL), tmp_path)
    assert found.card
    assert not found.is_known
    assert "MLflow at http://127.0.0.1:1" in found.missing["MLflow"]


def test_other_bytes_than_those_registered_are_rejected(fetched, monkeypatch):
    export(MODEL)
    number = store.add_version(store.find_export(file_sha256(MODEL))).number
    monkeypatch.setattr(store, "versions", lambda: {number: store.Version(number, "0" * 64)})
    with pytest.raises(RegistryError, match=f"version {number} is not the one that was registered"):
        fetch.fetch(number)
    assert not fetched.exists()
