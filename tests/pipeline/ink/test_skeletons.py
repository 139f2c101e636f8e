import numpy as np
import pytest

from pipeline.base.paths import Outputs
from pipeline.ink.digit_shapes import SHAPES
from pipeline.ink.skeletons import draw_digit
from serving.drawing.rasterize import draw
from serving.model.predictor import Predictor


@pytest.mark.parametrize(
    ("digit", "variant"), [(digit, name) for digit, (_, names) in SHAPES.items() for name in names]
)
def test_every_shape_is_finite_and_well_proportioned(digit, variant):
    rng = np.random.default_rng(0)
    for _ in range(20):
        strokes = draw_digit(digit, rng, variant)
        points = np.concatenate(strokes)
        width, height = np.ptp(points, axis=0)
        assert all(stroke.dtype == np.float32 and stroke.shape[1] == 2 for stroke in strokes)
        assert np.isfinite(points).all()
        assert 0.6 < max(width, height) < 1.6
        assert width < (3.2 if variant == "lying" else 1.6) * height
        assert 4 <= len(points) < 400


def test_the_same_seed_gives_the_same_drawing_and_no_two_are_alike():
    first, second = (draw_digit(4, np.random.default_rng(8)) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    rng = np.random.default_rng(0)
    assert len({draw(draw_digit(3, rng), (64, 64), 0.7, 0.1).tobytes() for _ in range(50)}) == 50


def test_generated_digits_are_read_correctly():
    rng = np.random.default_rng(0)
    digits = np.repeat(np.arange(10), 30)
    ink = np.stack([draw(draw_digit(digit, rng), (96, 96), 0.7, 0.12) for digit in digits])
    read = Predictor.load(Outputs().model).run(ink).probabilities.argmax(axis=1)
    assert (read == digits).mean() > 0.93  # a network trained on MNIST only misreads slashed 0s and flagged 1s
