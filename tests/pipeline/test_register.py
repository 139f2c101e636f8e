"""Gates of a real file against a real champion; test_champion.py registers."""

import json

import numpy as np
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

# MLflow warns of its own type hints when it first stores a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

MODEL = Outputs().model


@pytest.fixture(scope="module")
def champion(tmp_path_factory, digits):
    """The committed model, registered in a database, and 100 prepared images."""
    directory = tmp_path_factory.mktemp("champion")
    split = Split(digits[0][::50], digits[1][::50].astype(np.int32))
    parts = {"validation": {"mnist": 60, "pendigits": 40}}
    card = DataCard("mnist", "MNIST", 0, 100, 0, parts, 0, {"train": "a", "validation": "b", "test": "c"}, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        patch.chdir(directory)
        patch.setattr(register, "load_card", lambda: card)
        patch.setattr(register, "load_split", lambda _: split)
        with runs.start_run("a", load_config(), card, Outputs(directory)) as run:
            example = split.images[:1]
            run.log_model(MODEL, {"image": example}, vars(Predictor.load(MODEL).run(example)))
            run.log_metrics({"parity_difference": 0.0})
        yield store.add_version(store.find_export(file_sha256(MODEL)))


def gates(file, champion):
    """Return the gates by name."""
    found = register.measure(file, store.find_export(champion.sha256), champion)
    return {gate.name: gate for gate in found}


def test_models_of_the_same_data_are_compared_by_accuracy(champion):
    found = gates(MODEL, champion)
    assert (found["mnist_p_value"].value, found["mnist_p_value"].limit) == (1.0, 0.025)
    assert str(found["pendigits_p_value"]) == "holds: 1, at least 0.025 (0 images won, 0 lost)"
    assert found["latency_ratio"].value > 0


def test_models_of_other_validation_images_are_not_compared_by_accuracy(champion, tmp_path):
    model = onnx.load(MODEL)
    (entry,) = [entry for entry in model.metadata_props if entry.key == "data"]
    data = json.loads(entry.value)
    entry.value = json.dumps(data | {"sha256": data["sha256"] | {"validation": "other"}})
    onnx.save(model, tmp_path / "other.onnx")
    found = gates(tmp_path / "other.onnx", champion)
    for part in ("mnist", "pendigits"):
        assert str(found[f"{part}_p_value"]).startswith("not compared: the champion was validated on other images")
        assert found[f"{part}_p_value"].passes
    measured = {gate.name for gate in found.values() if gate.value is not None}
    assert measured == {"mnist", "pendigits", "size_bytes", "parity", "latency_ratio"}
