import numpy as np
import pytest

from pipeline.dataset.splits import Split
from pipeline.evaluation.robustness import PERTURBATIONS, measure_robustness, perturb

BY_KEY = {perturbation.key: perturbation for perturbation in PERTURBATIONS}


@pytest.fixture(scope="module")
def images(digits):
    return digits[0][::100]


def spoilt(images, key):
    return perturb(images, BY_KEY[key]).astype(float)


def centre(images):
    """Centre of mass, [n, 2]: y and x."""
    mass = images.sum(axis=(1, 2))
    positions = np.arange(images.shape[1])
    return np.stack([images.sum(axis=2) @ positions / mass, images.sum(axis=1) @ positions / mass], axis=1)


def test_every_row_has_a_name_of_its_own():
    assert len(BY_KEY) == len(PERTURBATIONS) > 20


def test_unchanged_pictures_lie_in_the_middle_of_the_canvas(images):
    found = spoilt(images, "unchanged")
    assert (found[:, 14:42, 14:42] == images).all()
    assert found.sum() == images.sum()


def test_geometry_does_what_it_says(images):
    before = spoilt(images, "unchanged")
    assert np.allclose(centre(spoilt(images, "shift_9")) - centre(before), 9, atol=0.01)
    assert np.allclose(centre(spoilt(images, "shift_0.5")) - centre(before), 0.5, atol=0.05)
    for percent in (50, 200):
        ratio = spoilt(images, f"scale_{percent}").sum(axis=(1, 2)) / before.sum(axis=(1, 2))
        assert np.allclose(ratio, (percent / 100) ** 2, rtol=0.1)
    turned = spoilt(images, "rotation_20")
    assert np.allclose(turned.sum(axis=(1, 2)), before.sum(axis=(1, 2)), rtol=0.05)


def test_every_other_picture_is_turned_the_other_way(images):
    found = spoilt(np.stack([images[0], images[0][:, ::-1]]), "rotation_30")
    assert np.abs(found[0] - found[1][:, ::-1]).max() <= 1


def test_more_strength_changes_more(images):
    ink = [spoilt(images, key).sum() for key in ("thinner_10", "thinner_5", "scale_200", "thicker_5", "thicker_10")]
    assert ink == sorted(ink)
    peaks = [spoilt(images, key).max(axis=(1, 2)).mean() for key in ("blur_2", "blur_1", "blur_0.5", "unchanged")]
    assert peaks == sorted(peaks)
    for percent in (2, 5, 10):
        ground = spoilt(images, f"noise_{percent}")[:, :10]
        assert ground.std() == pytest.approx(255 * percent / 100 * 0.58, rel=0.1)  # half of it is cut off at black


def test_light_and_contrast(images):
    before = spoilt(images, "unchanged")
    assert (spoilt(images, "inverted") == 255 - before).all()
    for percent in (50, 25, 12):
        levels = np.ptp(spoilt(images, f"contrast_{percent}"), axis=(1, 2))
        assert np.allclose(levels, np.ptp(before, axis=(1, 2)) * percent / 100, atol=1)


def test_the_shares_of_each_row_are_all_of_it(reader, digits):
    images, labels = digits
    table = measure_robustness(reader, Split(images[::500], labels[::500].astype(np.int32)))
    assert list(table) == list(BY_KEY)
    for row in table.values():
        assert row["right"] + row["wrong"] + row["unsure"] + row["refused"] == pytest.approx(1, abs=1e-5)
        assert row["right"] <= row["accuracy"]
