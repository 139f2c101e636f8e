import numpy as np
import pytest

from bench.recipe import Row, ours, reference, run_in_turn, summarize
from pipeline.config.values import load_config
from pipeline.dataset.splits import Split
from pipeline.network.networks import build_network

CONFIG = load_config(["model.width=0.25", "train.epochs=2", "train.batch_size=16"])
REFERENCE = load_config(["model=seed_vision"]).model


@pytest.fixture(scope="module")
def split():
    """Bars of ten heights: easily told apart."""
    labels = np.arange(200, dtype=np.int32) % 10
    images = np.zeros((200, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 : 6 + 2 * label, 10:18] = 255
    return Split(images, labels)


@pytest.mark.slow
def test_both_recipes_run_in_turn_to_their_last_epoch(split, capsys):
    recipes = {
        "ours": ours(build_network(CONFIG.model), split, CONFIG.train),
        "reference": reference(build_network(REFERENCE, n_outputs=10), split),
    }
    rows = run_in_turn(recipes, split, target=1.1, n_epochs=3)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [*recipes, *recipes, "reference"]
    assert [row.epoch for row in rows["ours"]] == [1, 2]
    assert [row.epoch for row in rows["reference"]] == [1, 2, 3]
    assert rows["reference"][-1].val_accuracy > 0.3
    for row, next_row in zip(rows["reference"], rows["reference"][1:], strict=False):
        assert next_row.total_seconds == pytest.approx(row.total_seconds + next_row.seconds, abs=0.002)


@pytest.mark.slow
def test_a_recipe_stops_at_the_target(split):
    rows = run_in_turn({"reference": reference(build_network(REFERENCE), split)}, split, target=0.0, n_epochs=3)
    assert len(rows["reference"]) == 1


def test_the_time_to_the_target_is_that_of_the_first_epoch_that_passes():
    rows = {
        "ours": [Row(1, 5, 5, 0.98), Row(2, 3, 8, 0.9927), Row(3, 3, 11, 0.9930)],
        "reference": [Row(1, 4, 4, 0.98), Row(2, 6, 10, 0.993)],
    }
    figures = summarize(rows, 0.9927)
    assert figures["seconds_to_target"] == {"ours": 8, "reference": 10}
    assert figures["ratio"] == 0.8
    assert figures["seconds_per_epoch"] == {"ours": 3, "reference": 5}


def test_a_target_that_is_not_passed_has_no_time():
    figures = summarize({"ours": [Row(1, 5, 5, 0.98)], "reference": [Row(1, 4, 4, 0.995)]}, 0.9927)
    assert figures["seconds_to_target"] == {"ours": None, "reference": 4}
    assert figures["ratio"] is None
