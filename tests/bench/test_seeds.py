import json

import pytest

from bench import seeds
from pipeline.base.errors import InklingError
from pipeline.base.paths import Outputs
from pipeline.config.values import dump, load_config

CONFIG = load_config(["train.seed=7"])


def finish(outputs, config):
    """Write the files of a finished training."""
    for file in (outputs.weights, outputs.calibration, outputs.metrics("train"), outputs.directory / seeds.TIMING):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (outputs.directory / ".hydra").mkdir(exist_ok=True)
    (outputs.directory / ".hydra" / "config.yaml").write_text(dump(config))


def test_is_trained_needs_all_files_and_the_same_parameters(tmp_path):
    outputs = Outputs(tmp_path)
    assert not seeds.is_trained(CONFIG, outputs)
    finish(outputs, CONFIG)
    assert seeds.is_trained(CONFIG, outputs)
    assert not seeds.is_trained(load_config(["train.seed=7", "train.epochs=3"]), outputs)
    outputs.weights.unlink()
    assert not seeds.is_trained(CONFIG, outputs)


def test_a_failed_training_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "ROOT", tmp_path)  # without a pipeline
    with pytest.raises(InklingError, match="seed 7"):
        seeds.train(7)
    outputs = Outputs(tmp_path / "outputs/seeds/7")
    finish(outputs, CONFIG)
    assert seeds.train(7) == outputs


def test_the_spread_covers_all_seeds():
    by_seed = {42: {"test_accuracy": 0.99}, 1: {"test_accuracy": 0.98}, 2: {"test_accuracy": 1.0}}
    summary = seeds.summarize(load_config(), by_seed)
    assert summary["spread"]["test_accuracy"] == {"mean": 0.99, "sd": 0.01, "min": 0.98, "max": 1.0}
    assert list(summary["seeds"]) == ["42", "1", "2"]


def test_own_figures_come_from_the_stages():
    metrics = json.loads(Outputs().metrics("test").read_text())
    assert seeds.read_own()["strokes_worst_accuracy"] == metrics["strokes_worst_accuracy"]
