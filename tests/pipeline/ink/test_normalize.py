"""Test the normaliser in the committed model file, as onnxruntime runs it, and its branch for uneven edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.base.paths import Outputs
from pipeline.evaluation.robustness import PERTURBATIONS, perturb
from pipeline.ink.normalize import normalize, normalize_all
from serving.model.predictor import Predictor

DISTURBED = [
    perturbation
    for perturbation in PERTURBATIONS
    if perturbation.name in ("shadow", "gradient", "corner", "frame", "line", "rule")
]
PREDICTOR = Predictor.load(Outputs().model)


def test_mnist_images_are_unchanged_and_the_file_agrees_with_the_pipeline(digits):
    images, _ = digits
    # In batches, because one uneven picture sends its whole batch the long way.
    normalized = np.concatenate([PREDICTOR.run(batch).normalized for batch in np.split(images, 50)])
    difference = np.abs(normalized.astype(int) - images).max(axis=(1, 2))
    assert (difference <= 1).mean() >= 0.999
    assert np.array_equal(normalized[::10], normalize_all(images[::10]))


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(0, 4999),
    factor=st.integers(2, 10),
    room=st.tuples(st.integers(0, 150), st.integers(0, 150)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    is_dark_on_light=st.booleans(),
)
def test_size_place_and_polarity_do_not_matter(digits, index, factor, room, place, is_dark_on_light):
    digit = digits[0][index]
    top, left = round(place[0] * room[0]), round(place[1] * room[1])
    enlarged = np.kron(digit, np.ones((factor, factor), np.uint8))
    canvas = np.pad(enlarged, ((top, room[0] - top), (left, room[1] - left)))
    original, moved = PREDICTOR.run(digit[None]), PREDICTOR.run((255 - canvas if is_dark_on_light else canvas)[None])
    assert np.abs(moved.normalized.astype(int) - original.normalized).max() <= 1
    assert moved.probabilities.argmax() == original.probabilities.argmax()
    assert moved.box[0] == pytest.approx(original.box[0] * factor + [left, top, left, top])


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 80), width=st.integers(1, 80), seed=st.integers(0, 2**32 - 1), contrast=st.integers(0, 255)
)
def test_any_picture_gives_a_finite_answer(height, width, seed, contrast):
    image = np.random.default_rng(seed).integers(0, contrast, (1, height, width), np.uint8, endpoint=True)
    answer = PREDICTOR.run(image)
    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert np.isfinite(answer.box).all()
    left, top, right, bottom = answer.box[0]
    assert 0 <= left <= right <= width
    assert 0 <= top <= bottom <= height
    assert answer.normalized.any() == (answer.digit_score[0] > 0)


@pytest.mark.parametrize("level", [0, 127, 255])
@pytest.mark.parametrize("size", [(1, 1), (280, 280), (3, 500)])
def test_an_even_picture_is_blank(level, size):
    answer = PREDICTOR.run(np.full((1, *size), level, np.uint8))
    assert answer.digit_score[0] == 0
    assert not answer.normalized.any()
    assert not answer.box.any()
    assert answer.probabilities[0] == pytest.approx(np.full(10, 0.1))


@pytest.mark.parametrize(
    ("paper", "ink", "grain"),
    [(190, 110, 0), (110, 190, 0), (110, 20, 0), (150, 240, 0), (0, 255, 0.05), (255, 0, 0.05), (200, 60, 0.05)],
)
def test_grey_or_grainy_paper_and_pale_ink_do_not_matter(digits, paper, ink, grain):
    images, labels = digits[0][::50], digits[1][::50]
    noise = np.random.default_rng(0).normal(0, grain * abs(ink - paper), images.shape)
    answer = PREDICTOR.run(np.clip(np.rint(paper + images / 255.0 * (ink - paper) + noise), 0, 255).astype(np.uint8))
    assert (answer.probabilities.argmax(axis=1) == labels).mean() >= 0.97
    assert (answer.digit_score >= PREDICTOR.card.thresholds.digit_score).mean() >= 0.9


@pytest.mark.parametrize("contrast", [255, 80])
def test_a_picture_without_a_margin_is_read(digits, contrast):
    images, labels = digits
    boxes = PREDICTOR.run(images[::50]).box.astype(int)
    pale = (255 - images[::50].astype(int) * contrast // 255).astype(np.uint8)
    crops = [image[top:bottom, left:right] for image, (left, top, right, bottom) in zip(pale, boxes, strict=True)]
    found = [PREDICTOR.run(crop[None]).probabilities.argmax() for crop in crops]
    assert (found == labels[::50]).mean() >= 0.97


def test_the_longest_side_of_the_ink_is_twenty_pixels():
    image = np.full((1, 200, 300), 255, np.uint8)
    image[0, 50:150, 100:130] = 0
    answer = PREDICTOR.run(image)
    assert answer.box[0].tolist() == [100, 50, 130, 150]
    rows, columns = np.nonzero(answer.normalized[0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 6)


@pytest.mark.parametrize("perturbation", DISTURBED, ids=lambda perturbation: perturbation.key)
@pytest.mark.parametrize("is_inverted", [False, True])
def test_shadows_frames_and_lines_are_removed(digits, perturbation, is_inverted):
    images = digits[0][::500]
    sheets = perturb(images, perturbation)
    normalized = normalize_all(255 - sheets if is_inverted else sheets)
    gaps = np.abs(normalized.astype(float) - images).mean(axis=(1, 2))
    assert np.median(gaps) < 30  # grey levels; enlarging and reducing alone makes 15


@pytest.mark.parametrize("side", range(4))
def test_ink_that_touches_an_edge_is_kept(digits, side):
    image = np.rot90(digits[0][0], side)
    rows = np.flatnonzero(image.max(axis=1) > 127)
    touching = np.rot90(255 - np.kron(image[rows[0] :], np.ones((10, 10), np.uint8)), -side)
    wider = np.pad(touching, 40, constant_values=255)
    assert np.array_equal(normalize_all(touching[None]), normalize_all(wider[None]))


def test_pictures_of_a_batch_are_independent(digits):
    clean = 255 - np.kron(digits[0][0], np.ones((10, 10), np.uint8))
    framed = np.pad(clean[2:-2, 2:-2], 2)
    both = normalize(np.stack([clean, framed]))
    for number, image in enumerate((clean, framed)):
        alone = normalize(image[None])
        assert np.array_equal(both.images[number], alone.images[0])
        assert np.array_equal(both.box[number], alone.box[0])
