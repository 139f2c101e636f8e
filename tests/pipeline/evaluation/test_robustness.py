from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.dataset.splits import Split
from pipeline.evaluation import robustness
from pipeline.evaluation.robustness import PERTURBATIONS, measure_robustness, perturb
from pipeline.network.calibration import Calibration

BY_KEY = {perturbation.key: perturbation for perturbation in PERTURBATIONS}


@pytest.fixture(scope="module")
def images(digits):
    return digits[0][::100]


@pytest.fixture(scope="module")
def few(images):
    """Fewer images, because a sheet has a hundred times as many pixels."""
    return images[::5]


def perturbed(images, key):
    return perturb(images, BY_KEY[key]).astype(float)


def centre(images):
    """Return the centre of mass, [n, 2]: y and x."""
    mass = images.sum(axis=(1, 2))
    positions = np.arange(images.shape[1])
    return np.stack([images.sum(axis=2) @ positions / mass, images.sum(axis=1) @ positions / mass], axis=1)


def test_geometry(images):
    before = perturbed(images, "unchanged")
    assert (before[:, 14:42, 14:42] == images).all()
    assert before.sum() == images.sum()
    assert np.allclose(centre(perturbed(images, "shift_9")) - centre(before), 9, atol=0.01)
    assert np.allclose(centre(perturbed(images, "shift_0.5")) - centre(before), 0.5, atol=0.05)
    for percent in (50, 200):
        ratio = perturbed(images, f"scale_{percent}").sum(axis=(1, 2)) / before.sum(axis=(1, 2))
        assert np.allclose(ratio, (percent / 100) ** 2, rtol=0.1)
    rotated = perturbed(images, "rotation_20")
    assert np.allclose(rotated.sum(axis=(1, 2)), before.sum(axis=(1, 2)), rtol=0.05)
    mirrored = perturbed(np.stack([images[0], images[0][:, ::-1]]), "rotation_30")
    assert np.abs(mirrored[0] - mirrored[1][:, ::-1]).max() <= 1  # every other image rotates in the other direction


def test_a_higher_strength_changes_more(images):
    ink = [perturbed(images, key).sum() for key in ("thinner_10", "thinner_5", "scale_200", "thicker_5", "thicker_10")]
    assert ink == sorted(ink)
    peaks = [perturbed(images, key).max(axis=(1, 2)).mean() for key in ("blur_2", "blur_1", "blur_0.5", "unchanged")]
    assert peaks == sorted(peaks)
    for percent in (2, 5, 10):
        ground = perturbed(images, f"noise_{percent}")[:, :10]
        assert ground.std() == pytest.approx(255 * percent / 100 * 0.58, rel=0.1)  # half of it is clipped at black


def test_light_and_contrast(images):
    before = perturbed(images, "unchanged")
    assert (perturbed(images, "inverted") == 255 - before).all()
    for percent in (50, 25, 12):
        levels = np.ptp(perturbed(images, f"contrast_{percent}"), axis=(1, 2))
        assert np.allclose(levels, np.ptp(before, axis=(1, 2)) * percent / 100, atol=1)


def test_light_on_sheets(few):
    paper = np.median(perturbed(few, "line_1"))
    for percent in (25, 50):
        darkest = paper * (1 - percent / 100)
        shadow, gradient = perturbed(few, f"shadow_{percent}"), perturbed(few, f"gradient_{percent}")
        corners = np.stack([shadow[:, y, x] for y in (0, -1) for x in (0, -1)])
        assert corners.max(axis=0) == pytest.approx(paper, abs=1)  # each edge leaves a corner on both sides
        assert corners.min(axis=0) == pytest.approx(darkest, abs=1)
        assert np.abs(np.diff(gradient[:, 0], axis=1)).max() <= 1
        assert np.abs(gradient[:, 140, :2] - paper * (1 - percent / 200)).max() <= paper * percent / 200 + 1
    small, large = perturbed(few, "corner_15"), perturbed(few, "corner_30")
    assert (small < paper / 2).sum() < (large < paper / 2).sum()
    assert small[0, 0, 0] == pytest.approx(0.2 * paper, abs=1)


def test_lines_on_sheets(few):
    clean = perturbed(few, "line_1")[:, 10:-10, 10:-10]
    dark = clean.min()
    for width in (1, 4):
        frame, line = perturbed(few, f"frame_{width}"), perturbed(few, f"line_{width}")
        assert (frame[:, 10:-10, 10:-10] == clean).all()
        assert (line[:, 10:-10, 10:-10] == clean).all()
        assert (frame[:, :width] == dark).all() and (frame[:, :, -width:] == dark).all()  # noqa: PT018
        assert (line[0, :width] == dark).all() and (line[0, -width:] != dark).all()  # noqa: PT018
        assert ((frame == dark).sum(axis=(1, 2)) > (line == dark).sum(axis=(1, 2))).all()
    for sheet, rows in zip(perturbed(few, "rule_2"), clean.min(axis=2) < 200, strict=True):
        ruled = np.flatnonzero((sheet == dark).all(axis=1))
        assert len(ruled) == 2
        assert ruled[0] > np.flatnonzero(rows)[-1] + 10


def test_size_and_place_on_sheets(few):
    small = perturbed(few, "height_5")
    assert small.shape[1:] == (400, 400)
    extents = [np.ptp(np.argwhere(sheet < 200), axis=0).max() + 1 for sheet in small]
    assert np.median(extents) == pytest.approx(0.05 * 400, abs=2)
    ink = [(255 - perturbed(few, key)).sum() for key in ("line_1", "cut_5", "cut_10")]
    assert ink == sorted(ink, reverse=True)
    touches = perturbed(few, "cut_5") < 150
    assert touches[0, 0].any()
    assert touches[1, :, -1].any() or touches[1, :, 0].any()


def test_the_shares_of_each_row_add_up(reader, digits):
    images, labels = digits
    table = measure_robustness(reader, Split(images[::500], labels[::500]))
    assert list(table) == [perturbation.key for perturbation in PERTURBATIONS]
    for row in table.values():
        assert row["right"] + row["wrong"] + row["unsure"] + row["refused"] == pytest.approx(1, abs=1e-5)
        assert row["right"] <= row["accuracy"]


def test_still_right_counts_among_the_images_that_are_right_without_the_change(monkeypatch, digits):
    """The reader refuses the brightest images, and reads the others right."""
    images, labels = digits[0][:4].copy(), np.zeros(4, np.int32)
    images[:] = np.array([40, 80, 120, 250])[:, None, None]

    def read_all(_, pictures):
        score = np.where(pictures.max(axis=(1, 2)) < limits.pop(0), 0.9, 0.1)
        return {"probabilities": np.eye(10)[np.zeros(len(pictures), int)], "digit_score": score}

    limits = [200, 100, 30]
    monkeypatch.setattr(robustness, "read_all", read_all)
    monkeypatch.setattr(robustness, "PERTURBATIONS", PERTURBATIONS[:3])
    reader = SimpleNamespace(calibration=Calibration(1, {"digit_score": 0.5, "confidence": 0.1}))
    rows = measure_robustness(reader, Split(images, labels)).values()
    assert [row["still_right"] for row in rows] == pytest.approx([1, 2 / 3, 0], abs=1e-6)
