import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

from pipeline.config.schema import AugmentConfig
from pipeline.training.augment import augment, sample

SEED = (1, 2)
NOTHING = AugmentConfig(**dict.fromkeys(AugmentConfig.model_fields, 0.0))


def warp(images, seed=SEED, **ranges):
    return augment(tf.constant(images), NOTHING.model_copy(update=ranges), tf.constant(seed)).numpy()


def blob(n=64):
    images = np.zeros((n, 28, 28, 1), np.float32)
    images[:, 8:20, 12:16] = 1
    return images


def centres(images):
    positions = np.arange(28)
    mass = images.sum(axis=(1, 2, 3))
    return np.stack([images.sum(axis=(2, 3)) @ positions / mass, images.sum(axis=(1, 3)) @ positions / mass], axis=1)


def test_without_ranges_nothing_changes():
    assert warp(blob()) == pytest.approx(blob())


def test_shifts_use_their_range_and_stay_within():
    moved = centres(warp(blob(), shift=3.0)) - centres(blob())
    assert np.abs(moved).max() <= 3.01
    assert np.ptp(moved, axis=0).min() > 4


@pytest.mark.parametrize("ranges", [{"rotation": 0.3}, {"scale": 0.2}, {"shear": 0.2}])
def test_affine_warps_keep_the_centre(ranges):
    warped = warp(blob(), **ranges)
    assert not np.allclose(warped, blob())
    assert centres(warped) == pytest.approx(centres(blob()), abs=0.1)


def test_an_elastic_field_bends_and_stays_within_its_range():
    bent = warp(blob(), elastic=1.0)
    assert not np.allclose(bent, blob())
    assert not np.allclose(bent[0], bent[1])
    assert np.array_equal(bent, warp(blob(), elastic=1.0))
    assert not np.array_equal(bent, warp(blob(), seed=(1, 3), elastic=1.0))
    assert bent[:, 10:18, 14, 0].min() > 0.99  # two pixels from the edge, ink stays
    assert bent[:, 14, [9, 18], 0].max() < 0.01  # and so does paper


def test_samples_are_those_of_scipy():
    images = np.random.default_rng(1).random((5, 28, 28, 1)).astype(np.float32)
    x, y = np.random.default_rng(2).uniform(-3, 30, (2, 5, 28, 28)).astype(np.float32)
    expected = [
        map_coordinates(image[..., 0], [rows, columns], order=1, mode="grid-constant")
        for image, rows, columns in zip(images, y, x, strict=True)
    ]
    assert sample(tf.constant(images[..., 0]), x, y).numpy() == pytest.approx(np.stack(expected), abs=1e-5)


def test_thickness_removes_or_adds_up_to_a_pixel_on_each_side():
    areas = warp(blob(), thickness=1.0).sum(axis=(1, 2, 3))
    assert 10 * 2 <= areas.min() < 12 * 4 - 15
    assert 12 * 4 + 15 < areas.max() <= 14 * 6


def test_blur_softens_edges_and_keeps_the_darkest_grey():
    images = 0.8 * blob()
    softened = warp(images, blur=1.0)
    assert softened.max(axis=(1, 2, 3)) == pytest.approx(0.8)
    slopes = np.abs(np.diff(softened, axis=2)).max(axis=(1, 2, 3))
    assert slopes.min() < 0.4  # of 0.8 at a sharp edge
    assert slopes.max() > 0.7
    assert centres(softened) == pytest.approx(centres(images), abs=1e-3)


def test_a_blank_image_stays_blank():
    assert not warp(np.zeros((3, 28, 28, 1), np.float32), thickness=1.0, blur=1.0).any()
