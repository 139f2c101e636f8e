"""Further commands of the README and the guide in a fresh clone, which uses this environment."""

import json
import os
import shutil

import numpy as np
import pytest
import yaml

from pipeline.config.values import dump, load_config
from pipeline.sources.mirrors import fetch
from pipeline.sources.mnist import MNIST, read_idx
from serving.model.predictor import Predictor
from tests.contract.clone import MAKE, OFFLINE, clone_into, get, served
from tests.project import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
needs_mirror = pytest.mark.skipif("INKLING_MIRROR" not in os.environ, reason="INKLING_MIRROR names no mirror of MNIST")


@pytest.fixture
def clone(tmp_path):
    return clone_into(tmp_path / "inkling")


def is_untouched(clone):
    return clone.git("status", "--porcelain") == ""


def test_an_unpacked_archive_serves_without_git(clone):
    shutil.rmtree(clone.directory / ".git")
    with served(clone.directory, "run") as (address, _):
        assert "<title>" in get(address)


def test_make_ui_shows_mlflow(clone):
    with served(clone.directory, "ui", seconds=120) as (address, _):
        assert "MLflow" in get(address)


def test_without_data_a_command_names_the_remedy(clone):
    assert "run `dvc repro prepare`" in run(clone.directory, *MAKE, "train", env=OFFLINE, ok=False)
    assert is_untouched(clone)
    model = (clone.directory / "models/digits.onnx").rename(clone.directory / "outputs.onnx")
    assert "no source has mnist/" in run(clone.directory, *MAKE, "run", env=OFFLINE, ok=False)
    model.rename(clone.directory / "models/digits.onnx")
    params = yaml.safe_load(clone.read("params.yaml"))
    params["train"]["learning_rate"] = 0.001
    clone.write("params.yaml", yaml.safe_dump(params, sort_keys=False))
    printed = run(clone.directory, *MAKE, "run", env=OFFLINE, ok=False)
    for part in ("ossci-datasets", "cvdf-datasets", "INKLING_MIRROR", "make demo", "data.source=embedded"):
        assert part in printed
    assert "Traceback" not in printed
    assert (clone.directory / "models/digits.onnx").read_bytes() == (ROOT / "models/digits.onnx").read_bytes()


def test_make_demo_trains_and_serves_on_embedded_data_and_touches_nothing(clone):
    with served(clone.directory, "demo", seconds=900) as (address, _):
        card = json.loads(get(f"{address}/api/model"))
    assert card["parameters"]["data"]["source"] == "embedded"
    assert "embedded" in card["data"]["title"]
    parts = card["data"]["parts"]
    assert parts["train"]["mnist"] + parts["validation"]["mnist"] + card["data"]["test"] == 5000
    assert parts["train"]["pendigits"] == card["data"]["test_drawings"] == 0
    assert card["metrics"]["test_accuracy"] > 0.95
    assert is_untouched(clone)


def test_after_a_small_experiment_the_committed_model_is_up_to_date_again(clone):
    run(clone.directory, *["dvc", "exp", "run", "-S", "size=smoke", "-S", "data.source=embedded"], env=OFFLINE)
    params = yaml.safe_load(clone.read("params.yaml"))
    assert (params["train"]["epochs"], params["data"]["source"], params["data"]["limit"]) == (12, "embedded", 400)
    accuracy = json.loads(clone.read("metrics/test.json"))["test_accuracy"]
    assert accuracy > 0.5  # few images, but better than a guess
    assert f"{accuracy:.4f}".rstrip("0") in run(clone.directory, "dvc", "metrics", "diff", env=OFFLINE)
    # Weights and data of the experiment, which git ignores, are no reason to train.
    clone.git("checkout", ".")
    assert (clone.directory / "models/network.weights.h5").exists()
    with served(clone.directory, "run") as (address, log):
        card = json.loads(get(f"{address}/api/model"))
        assert "is up to date" in log.read_text()
    assert card["metrics"] == json.loads(clone.read("metrics/test.json"))
    assert is_untouched(clone)


@needs_mirror
def test_the_committed_file_reads_mnist_s_test_images(tmp_path):
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    for name in names:
        fetch(f"mnist/{name}", *MNIST[name], tmp_path / name)
    images, labels = (read_idx(tmp_path / name) for name in names)
    answers = Predictor.load(ROOT / "models" / "digits.onnx").run(images)
    accuracy = (answers.probabilities.argmax(axis=1) == labels).mean()
    assert accuracy == json.loads((ROOT / "metrics/test.json").read_text())["test_accuracy"]
    assert accuracy >= 0.993
    difference = np.abs(answers.normalized.astype(int) - images).max(axis=(1, 2))
    assert (difference <= 1).mean() >= 0.999


@needs_mirror
def test_make_repro_rebuilds_everything_from_the_raw_data(clone):
    params = dump(load_config(["data.limit=3000", "strokes.skeletons=500", "strokes.nondigits=500", "strokes.renders=1",
                               "train.epochs=6", "train.warmup_epochs=1", "evaluate.nondigits=20"]))  # fmt: skip
    clone.write("params.yaml", params)
    run(clone.directory, *MAKE, "repro")
    assert json.loads(clone.read("metrics/test.json"))["test_accuracy"] >= 0.9
    assert clone.is_up_to_date()
    assert "Running stage" not in clone.run("dvc", "repro")
