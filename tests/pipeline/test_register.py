"""Gates of a real file against a real champion; test_champion.py registers."""

import json
import shutil

import onnx
import pytest

from pipeline import register
from pipeline.base.files import file_sha256
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard, Split
from pipeline.registry import store
from pipeline.tracking import runs
from serving.model.predictor import Predictor
from tests.keys import sign, write_keys

# MLflow warns of its own type hints when it first stores a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

MODEL = Outputs().model


@pytest.fixture
def champion(empty_store, tmp_path, monkeypatch, digits):
    """The committed model, registered in a database, and 100 prepared images."""
    split = Split(digits[0][::50], digits[1][::50])
    parts = {"validation": {"mnist": 60, "pendigits": 40}}
    card = DataCard("mnist", "MNIST", 0, 100, 0, parts, 0, {"train": "a", "validation": "b", "test": "c"}, {})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shutil.copy(empty_store, tmp_path)}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(register, "load_card", lambda: card)
    monkeypatch.setattr(register, "load_split", lambda _: split)
    with runs.start_run("a", load_config(), card, Outputs(tmp_path)) as run:
        example = split.images[:1]
        run.log_model(MODEL, {"image": example}, vars(Predictor.load(MODEL).run(example)))
        run.log_metrics({"parity_difference": 0.0})
    return store.add_version(store.find_export(file_sha256(MODEL)))


def test_a_challenger_is_compared_with_a_champion_of_the_same_validation_images(champion, tmp_path):
    def gates(file):
        found = register.measure(file, store.find_export(champion.sha256), champion)
        return {gate.name: gate for gate in found}

    found = gates(MODEL)
    assert (found["mnist_p_value"].value, found["mnist_p_value"].limit) == (1.0, 0.025)
    assert str(found["pendigits_p_value"]) == "holds: 1, at least 0.025 (0 images won, 0 lost)"
    assert found["latency_ratio"].value > 0

    model = onnx.load(MODEL)
    (entry,) = [entry for entry in model.metadata_props if entry.key == "data"]
    data = json.loads(entry.value)
    entry.value = json.dumps(data | {"sha256": data["sha256"] | {"validation": "other"}})
    onnx.save(model, tmp_path / "other.onnx")
    found = gates(tmp_path / "other.onnx")
    for part in ("mnist", "pendigits"):
        assert str(found[f"{part}_p_value"]).startswith("not compared: the champion was validated on other images")
        assert found[f"{part}_p_value"].passes
    measured = {gate.name for gate in found.values() if gate.value is not None}
    assert measured == {"mnist", "pendigits", "size_bytes", "parity", "latency_ratio"}


def test_a_version_has_the_signature_of_its_file_also_if_it_is_signed_later(champion, tmp_path, monkeypatch):
    outputs = Outputs(tmp_path / "signed")
    outputs.model.parent.mkdir(parents=True)
    shutil.copy(MODEL, outputs.model)
    monkeypatch.setattr(register, "Outputs", lambda: outputs)
    monkeypatch.setattr(register, "require_commit", lambda: "0" * 40)
    monkeypatch.setattr(register, "measure", lambda *_: [])
    register.register()
    assert store.versions()["champion"].signature == ""
    signature = sign(outputs.model, write_keys(tmp_path, "own")[0])
    register.register()
    assert store.versions()["champion"].signature == signature.read_text()
