"""A registry of its own (SQLite), with the committed model in it."""

from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest

from pipeline import fetch, registry, tracking
from pipeline.config import load_config
from pipeline.data import DataCard
from pipeline.environment import file_sha256
from pipeline.errors import RegistryError
from pipeline.paths import Outputs
from serving.predictor import Predictor

CARD = DataCard("mnist", "MNIST", 2, 4, 2, {}, 0, {"train": "a", "validation": "b", "test": "c"}, {})
# MLflow warns of its own type hints when it first stores a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

MODEL = Outputs().model
IMAGE = np.zeros((1, 28, 28), np.uint8)


def export(file):
    """A run that exports a file, as `export` does."""
    with tracking.start_run("a", load_config(), CARD, Outputs(Path.cwd())) as run:
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
