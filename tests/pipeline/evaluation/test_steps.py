import numpy as np
import tensorflow as tf

from pipeline.evaluation.steps import VARIANTS, measure_steps
from pipeline.ink.normalize import normalize
from pipeline.sources.unipen import Drawing
from serving.drawing.rasterize import draw

ELL = [np.array([[0, 0], [0, 100], [40, 100]], np.float32)]
ONE = [np.array([[0, 0], [2, 100]], np.float32)]


def canvases():
    """Draw two shapes in several sizes, places and proportions, 255 = ink."""
    ways = [(0.6, 0.12, (0.5, 0.5)), (0.3, 0.07, (0.1, 0.9)), (0.9, 0.2, (0.4, 0.2)), (0.15, 0.1, (1, 0))]
    return np.stack([draw(strokes, (280, 280), *way) for strokes in (ELL, ONE) for way in ways])


def extent(grids):
    """Return the height and the width of the ink in each grid."""
    return [(int((grid.max(axis=1) > 30).sum()), int((grid.max(axis=0) > 30).sum())) for grid in grids]


def test_each_variant_leaves_out_its_steps():
    ink = canvases()
    images = tf.constant(255 - ink)
    grids = {name: normalize(images, without).images.numpy() for name, (_, without) in VARIANTS.items()}
    assert all(grid.shape == (8, 28, 28) for grid in grids.values())
    assert grids["polarity"].mean() > 100 > grids["all"].mean()  # it takes the paper for ink
    assert max(extent(grids["box"])[1]) <= 8  # 0.3 of the 20 pixels, and the line
    assert all(19 <= side <= 20 for sides in extent(grids["aspect"]) for side in sides)
    assert all(27 <= max(sides) <= 28 for sides in extent(grids["fit"]))
    rows = {name: np.flatnonzero(grids[name][0].max(axis=1) > 30) for name in ("mass", "all")}
    assert (rows["mass"][0], rows["mass"][-1]) == (4, 23)  # 20 of 28, in the middle
    assert rows["all"][0] < 4  # an L is heavy at its foot
    means = ink.reshape(8, 28, 10, 28, 10).mean(axis=(2, 4))
    expected = means * (255 / means.max(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(grids["squeezed"], expected, atol=1)


def test_accuracy_by_variant_with_intervals_over_writers():
    def network(values, training):  # answers 0 if a grid is mostly ink, otherwise 1
        is_dark = tf.cast(tf.reduce_mean(values, axis=(1, 2, 3)) > 0.3, tf.float32)
        return tf.concat([is_dark[:, None], 1 - is_dark[:, None], tf.zeros((len(values), 9))], axis=1)

    drawings = [Drawing(1, writer, ELL) for writer in (1, 2, 3) for _ in range(8)] + [Drawing(0, 4, ELL)] * 6
    found = measure_steps(network, drawings)
    assert {name: row["accuracy"] for name, row in found.items()} == dict.fromkeys(VARIANTS, 0.8) | {"polarity": 0.2}
    for name, row in found.items():
        assert row["label"] == VARIANTS[name][0]
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert measure_steps(network, []) == {}
