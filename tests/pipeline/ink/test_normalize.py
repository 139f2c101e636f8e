"""The normaliser, as it stands in the committed model file: what TensorFlow defines, onnxruntime answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.base.paths import Outputs
from pipeline.ink.normalize import normalize_all
from serving.model.predictor import Predictor

PREDICTOR = Predictor.load(Outputs().model)
PAPER = 255


def on_canvas(digit, factor, height, width, top, left, is_dark_on_light):
    """An MNIST image (light on dark) enlarged by a whole factor, somewhere on a canvas."""
    canvas = np.zeros((height, width), np.uint8)
    enlarged = np.kron(digit, np.ones((factor, factor), np.uint8))
    canvas[top : top + len(enlarged), left : left + len(enlarged)] = enlarged
    return PAPER - canvas if is_dark_on_light else canvas


def test_mnist_images_come_out_as_they_went_in(digits):
    images, _ = digits
    normalized = PREDICTOR.run(images).normalized
    difference = np.abs(normalized.astype(int) - images).max(axis=(1, 2))
    assert (difference <= 1).mean() >= 0.999


def test_the_file_normalizes_as_the_pipeline_does(digits):
    images, _ = digits
    assert np.array_equal(PREDICTOR.run(images[::10]).normalized, normalize_all(images[::10]))


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
    side = 28 * factor
    top, left = round(place[0] * room[0]), round(place[1] * room[1])
    canvas = on_canvas(digit, factor, side + room[0], side + room[1], top, left, is_dark_on_light)
    original, moved = PREDICTOR.run(digit[None]), PREDICTOR.run(canvas[None])
    assert np.abs(moved.normalized.astype(int) - original.normalized).max() <= 1
    assert moved.probabilities.argmax() == original.probabilities.argmax()
    expected = original.box[0] * factor + [left, top, left, top]
    assert moved.box[0] == pytest.approx(expected)


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


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (280, 280), (3, 500)])
def test_an_even_picture_is_blank(level, size):
    answer = PREDICTOR.run(np.full((1, *size), level, np.uint8))
    assert answer.digit_score[0] == 0
    assert not answer.normalized.any()
    assert not answer.box.any()
    assert answer.probabilities[0] == pytest.approx(np.full(10, 0.1))


@pytest.mark.parametrize(("paper", "ink"), [(190, 110), (110, 190), (110, 20), (150, 240)])
def test_grey_paper_and_pale_ink_do_not_matter(digits, paper, ink):
    images, labels = digits
    pale = (paper + images[::50].astype(int) * (ink - paper) // 255).astype(np.uint8)
    assert (PREDICTOR.run(pale).probabilities.argmax(axis=1) == labels[::50]).mean() >= 0.97


@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (255, 0), (200, 60)])
def test_grainy_paper_does_not_matter(digits, paper, ink):
    images, labels = digits
    grain = np.random.default_rng(0).normal(0, 0.05 * abs(ink - paper), images[::50].shape)
    grainy = paper + images[::50] / 255.0 * (ink - paper) + grain
    answer = PREDICTOR.run(np.clip(np.rint(grainy), 0, 255).astype(np.uint8))
    assert (answer.probabilities.argmax(axis=1) == labels[::50]).mean() >= 0.97
    assert (answer.digit_score >= PREDICTOR.card.thresholds.digit_score).mean() >= 0.9


@pytest.mark.parametrize("contrast", [255, 80])
def test_a_picture_without_a_margin_is_read_too(digits, contrast):
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


def test_one_batch_answers_as_one_at_a_time(digits):
    images, _ = digits
    batch = PREDICTOR.run(images[:20])
    single = np.concatenate([PREDICTOR.run(image[None]).probabilities for image in images[:20]])
    assert batch.probabilities == pytest.approx(single, abs=1e-6)
