import numpy as np

from pipeline.dataset import pictures
from pipeline.dataset.pictures import render_drawings, render_nondigits, render_skeletons
from pipeline.dataset.splits import NO_DIGIT
from pipeline.nondigits.families import draw_picture
from pipeline.sources.unipen import Drawing

ELL = [np.array([[0, 0], [0, 100], [60, 100]], np.float32)]


def test_each_drawing_is_drawn_as_often_as_requested_and_never_twice_alike():
    split = render_drawings([Drawing(3, 1, ELL), Drawing(7, 1, ELL)], n_each=3, seed=1, is_warped=True)
    assert split.labels.tolist() == [3, 3, 3, 7, 7, 7]
    assert split.images.shape == (6, 28, 28)
    assert len(np.unique(split.images.reshape(6, -1), axis=0)) == 6
    assert ((split.images > 0).any(axis=2).sum(axis=1) >= 19).all()  # the pictures are normalised
    assert split.images.max(axis=(1, 2)).tolist() == [255] * 6
    nothing = render_drawings([], n_each=3, seed=1, is_warped=True)
    assert (nothing.images.shape, nothing.labels.shape) == ((0, 28, 28), (0,))


def test_generated_digits_are_repeatable_and_balanced():
    first, again, other = (render_skeletons(20, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
    assert np.bincount(first.labels).tolist() == [2] * 10


def test_nondigits_are_of_trained_families_only(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        pictures, "draw_picture", lambda family, *rest: drawn.append(family) or draw_picture(family, *rest)
    )
    split = render_nondigits(60, [Drawing(3, 1, ELL)], seed=1)
    assert split.images.shape == (60, 28, 28)
    assert (split.labels == NO_DIGIT).all()
    assert len(drawn) == 60
    assert not any(family.is_held_out for family in drawn)
    assert np.array_equal(split.images, render_nondigits(60, [Drawing(3, 1, ELL)], seed=1).images)
