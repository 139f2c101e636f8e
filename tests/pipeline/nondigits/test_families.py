import numpy as np
import pytest

from pipeline.base.paths import Outputs
from pipeline.ink.geometry import length, resample
from pipeline.nondigits import glyphs
from pipeline.nondigits.doodles import DOODLES, SHAPES
from pipeline.nondigits.families import FAMILIES
from pipeline.nondigits.glyphs import CYRILLIC, GREEK, KANA, LATIN, RARE_SYMBOLS, SYMBOLS
from pipeline.nondigits.groups import NOT_WITH_ONE_BAR
from pipeline.nondigits.letters import LETTERS, parse
from pipeline.nondigits.scribbles import CURVE_LENGTH, SCRIBBLE_LENGTH, TILT_RAD
from pipeline.nondigits.signs import MIN_ASPECT, draw_sign
from serving.drawing.strokes import bounds
from serving.model.predictor import Predictor

N_SEEDS = 200
TRAINED = LATIN + SYMBOLS
HELD_OUT = GREEK + CYRILLIC + KANA + RARE_SYMBOLS
PICTURES = {"noise", "textures", "blank"}
SMALLEST_INK = 26  # grey levels: a tenth of the range, below which the normaliser finds no ink


def digits(rng, label=None):
    """Draw a vertical line for a 1, and a zigzag as wide as a digit for every other label."""
    label = int(rng.integers(10)) if label is None else label
    points = [(0, 0), (0, 9)] if label == 1 else [(0, 0), (5, 1), (1, 5), (6, 8), (0, 9)]
    return label, [np.array(points, np.float32) + 40]


def draw_many(name, seed=0, source=digits, n=N_SEEDS):
    rng = np.random.default_rng(seed)
    return [FAMILIES[name].draw(rng, source) for _ in range(n)]


@pytest.mark.parametrize(("name", "family"), FAMILIES.items())
def test_everything_drawn_is_usable_and_repeatable(name, family):
    drawings, again, other = draw_many(name), draw_many(name, n=10), draw_many(name, seed=1, n=10)
    if family.kind in PICTURES:
        assert all(drawing.dtype == np.uint8 and drawing.ndim == 2 for drawing in drawings)
        assert min(min(drawing.shape) for drawing in drawings) >= 28
    else:
        strokes = [stroke for drawing in drawings for stroke in drawing]
        assert all(drawings)
        assert all(stroke.dtype == np.float32 and stroke.ndim == 2 and stroke.shape[1] == 2 for stroke in strokes)
        assert all(len(stroke) and np.isfinite(stroke).all() for stroke in strokes)
    first, again, other = ([np.concatenate(one).tobytes() for one in many] for many in (drawings[:10], again, other))
    assert first == again != other


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.kind in PICTURES])
def test_only_blank_pictures_have_no_ink(name):
    pictures = draw_many(name, n=50)
    if FAMILIES[name].kind == "blank":
        assert max(int(np.ptp(picture)) for picture in pictures) < SMALLEST_INK
    else:
        # The normaliser of the file agrees with that of the pipeline (ink/test_normalize.py), and is faster.
        predictor = Predictor.load(Outputs().model)
        assert all(predictor.run(picture[None]).normalized.any() for picture in pictures)


def test_each_kind_is_trained_and_held_out():
    kinds = {is_held_out: {f.kind for f in FAMILIES.values() if f.is_held_out == is_held_out} for is_held_out in (0, 1)}
    assert {"letters", "symbols", "scribbles", "several digits", "noise", "blank"} <= kinds[True]
    assert kinds[True] == kinds[False]


def test_letters_shaped_like_a_digit_are_never_drawn(monkeypatch):
    seen = []
    original = glyphs.glyph
    monkeypatch.setattr(glyphs, "glyph", lambda *which: seen.append(which) or original(*which))
    rng = np.random.default_rng(0)
    for alphabets in (LATIN, SYMBOLS, GREEK, CYRILLIC, KANA, RARE_SYMBOLS):
        for _ in range(N_SEEDS * 3):
            glyphs.draw_glyph(alphabets, rng)
        assert {letter for alphabet in alphabets for letter in alphabet.kept} == {
            letter for alphabet, letter in seen if alphabet in alphabets
        }
    assert not {letter for _, letter in seen} & set("OoIlSsZzBbgq|/()\u041e\u0417\u0431\u0447\u039f\u0392")


def test_the_hand_writes_the_letters_of_the_fonts():
    assert sorted(LETTERS) == sorted(LATIN[0].kept)
    for shape in (shape for shapes in LETTERS.values() for shape in shapes):
        points = np.array([point for stroke in parse(shape) for piece in stroke for point in piece])
        assert (points.min(axis=0) >= 0).all()
        assert (points.max(axis=0) <= (1, 1.4)).all()
        assert all(len(stroke[0]) > 1 for stroke in parse(shape))


def test_held_out_glyphs_are_not_trained():
    def kept(alphabets):
        return [(alphabet, letter) for alphabet in alphabets for letter in alphabet.kept]

    def shapes(alphabets):
        return {tuple(stroke.tobytes() for stroke in glyphs.glyph(*which)) for which in kept(alphabets)}

    assert not {letter for _, letter in kept(TRAINED)} & {letter for _, letter in kept(HELD_OUT)}
    assert not shapes(TRAINED) & shapes(HELD_OUT)
    assert not {alphabet.font for alphabet in TRAINED} & {alphabet.font for alphabet in HELD_OUT}
    assert not set(SHAPES) & set(DOODLES)


def test_signs_have_many_parts_and_are_not_narrow():
    rng = np.random.default_rng(0)
    for _ in range(N_SEEDS):
        strokes = draw_sign(rng)
        assert len(strokes) >= 4
        width, height = np.ptp(bounds(strokes), axis=0)
        assert width > MIN_ASPECT * height


@pytest.mark.parametrize(("name", "ratio"), [("scribbles", SCRIBBLE_LENGTH), ("curves", CURVE_LENGTH)])
def test_scribbles_are_longer_than_digits(name, ratio):
    for strokes in draw_many(name):
        # They are rotated after they are measured, which changes their box.
        assert length(strokes) > 0.6 * ratio * np.hypot(*np.ptp(bounds(strokes), axis=0))


def test_dashes_are_nearly_horizontal():
    for strokes in draw_many("dots_and_dashes"):
        for stroke in strokes:
            if len(stroke) > 1:
                across, down = np.abs(stroke[1] - stroke[0])
                assert np.arctan2(down, across) <= TILT_RAD + 1e-3


@pytest.mark.parametrize("label", range(10))
def test_a_digit_has_a_single_bar_only_if_that_makes_no_other_digit(label):
    digit = [np.array([(0, 0), (5, 0), (0, 9), (5, 9)], np.float32)]
    n_strokes = {len(strokes) for strokes in draw_many("struck_digits", source=lambda *_: (label, digit))}
    assert n_strokes == ({3} if label in NOT_WITH_ONE_BAR else {2, 3})


def test_a_one_keeps_its_distance():
    one = [np.array([(0, 0), (0, 9)], np.float32)]
    for strokes in draw_many("few_digits", source=lambda *_: (1, one)):
        starts = np.array([stroke[0] for stroke in strokes])
        assert np.abs(np.diff(starts, axis=0)).max(axis=1).min() > 0.09


def test_half_of_the_pairs_start_with_a_one():
    firsts = [bounds(strokes[:1]) for strokes in draw_many("pairs")]
    assert 0.4 < np.mean([np.ptp(box, axis=0)[0] < 0.01 for box in firsts]) < 0.7


def test_most_pieces_are_less_than_half_of_a_digit():
    square = [np.array([(0, 0), (0, 10), (10, 10), (10, 0), (0, 0)], np.float32)]
    sizes = [np.ptp(bounds(strokes), axis=0) for strokes in draw_many("pieces", source=lambda *_: (0, square))]
    assert (
        0.7 < np.mean([0.25 * width < height < 0.5 * width for width, height in sizes]) < 0.9
    )  # else a 4 without stem


def test_a_resampled_line_keeps_its_ends_and_length():
    corner = np.array([(0, 0), (0, 1), (2, 1)], np.float32)
    points = resample(corner, 0.02)
    assert np.array_equal(points[[0, -1]], corner[[0, -1]])
    assert length([points]) == pytest.approx(3, abs=0.02)
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 0.02 + 1e-6
