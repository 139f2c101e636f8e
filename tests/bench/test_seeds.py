import json

from bench import seeds
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config


def test_the_spread_covers_all_seeds():
    by_seed = {42: {"test_accuracy": 0.99}, 1: {"test_accuracy": 0.98}, 2: {"test_accuracy": 1.0}}
    summary = seeds.summarize(load_config(), by_seed)
    assert summary["spread"]["test_accuracy"] == {"mean": 0.99, "sd": 0.01, "min": 0.98, "max": 1.0}
    assert list(summary["seeds"]) == ["42", "1", "2"]


def test_own_figures_come_from_the_stages():
    metrics = json.loads(Outputs().metrics("test").read_text())
    assert seeds.read_own()["strokes_worst_accuracy"] == metrics["strokes_worst_accuracy"]
