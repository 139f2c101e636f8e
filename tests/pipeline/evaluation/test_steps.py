import numpy as np
import pytest
import tensorflow as tf

from pipeline.evaluation.steps import VARIANTS, measure_steps, normalize_without
from pipeline.ink.normalize import normalize_all
from pipeline.sources.unipen import Drawing
from serving.drawing.rasterize import draw

ELL = [np.array([[0, 0], [0, 100], [40, 100]], np.float32)]
ONE = [np.array([[0, 0], [2, 100]], np.float32)]


def canvases():
    """Drawings in several sizes, places and proportions, 255 = ink."""
    ways = [(0.6, 0.12, (0.5, 0.5)), (0.3, 0.07, (0.1, 0.9)), (0.9, 0.2, (0.4, 0.2)), (0.15, 0.1, (1, 0))]
    return np.stack([draw(strokes, (280, 280), *way) for strokes in (ELL, ONE) for way in ways])


def extent(grids):
    """Height and width of the ink in each grid."""
    return [(int((grid.max(axis=1) > 30).sum()), int((grid.max(axis=0) > 30).sum())) for grid in grids]


def test_with_all_steps_it_is_the_normaliser():
    ink = canvases()
    ours = normalize_without(ink, VARIANTS["all"]).astype(int)
    for pictures in (ink, 255 - ink):
        difference = np.abs(ours - normalize_all(pictures))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.001


def test_each_variant_leaves_out_what_it_says():
    ink = canvases()
    grids = {name: normalize_without(ink, steps) for name, steps in VARIANTS.items()}
    assert all(grid.shape == (8, 28, 28) for grid in grids.values())
    assert grids["polarity"].mean() > 100 > grids["all"].mean()  # the paper is what it takes for ink
    assert max(extent(grids["box"])[1]) <= 8  # 0.3 of the 20 pixels, and the line
    assert all(19 <= side <= 20 for sides in extent(grids["aspect"]) for side in sides)
    assert all(27 <= max(sides) <= 28 for sides in extent(grids["fit"]))
    rows = {name: np.flatnonzero(grids[name][0].max(axis=1) > 30) for name in ("mass", "all")}
    assert (rows["mass"][0], rows["mass"][-1]) == (4, 23)  # 20 of 28, in the middle
    assert rows["all"][0] < 4  # an L is heavy at its foot
    means = ink.reshape(8, 28, 10, 28, 10).mean(axis=(2, 4))
    expected = means * (255 / means.max(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(grids["squeezed"], expected, atol=1)


def test_accuracy_is_that_of_the_network_s_answers():
    """A network that answers by the amount of ink: 0 for a grid that is mostly ink, 1 for one that is not."""

    def network(values, training):
        is_dark = tf.cast(tf.reduce_mean(values, axis=(1, 2, 3)) > 0.3, tf.float32)
        return tf.concat([is_dark[:, None], 1 - is_dark[:, None], tf.zeros((len(values), 9))], axis=1)

    drawings = [Drawing(1, writer, ELL) for writer in (1, 2, 3) for _ in range(8)] + [Drawing(0, 4, ELL)] * 6
    found = measure_steps(network, drawings)
    assert {name: row["accuracy"] for name, row in found.items()} == dict.fromkeys(VARIANTS, 0.8) | {"polarity": 0.2}
    for name, row in found.items():
        assert row["label"] == VARIANTS[name].label
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]  # by writers, who are all right or wrong
    assert measure_steps(network, []) == {}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_label_is_a_few_words(name):
    assert 2 <= len(VARIANTS[name].label.split()) <= 10
