import numpy as np
import pytest

from pipeline.ink.hand import STEP, fit, length, resample, write
from pipeline.ink.normalize import normalize_each
from pipeline.nondigits import glyphs
from pipeline.nondigits.doodles import DOODLES, SHAPES
from pipeline.nondigits.families import FAMILIES
from pipeline.nondigits.glyphs import CYRILLIC, GREEK, KANA, LATIN, RARE_SYMBOLS, SYMBOLS
from pipeline.nondigits.groups import NOT_WITH_ONE_BAR
from pipeline.nondigits.scribbles import CURVE_LENGTH, SCRIBBLE_LENGTH, TILT_RAD
from pipeline.nondigits.signs import MIN_ASPECT, draw_sign
from serving.drawing.strokes import bounds

N_SEEDS = 200
TRAINED = LATIN + SYMBOLS
HELD_OUT = GREEK + CYRILLIC + KANA + RARE_SYMBOLS
PICTURES = {"noise", "textures", "blank"}
SMALLEST_INK = 26  # grey levels: a tenth of the range, below which the normaliser finds nothing to read


def digits(rng):
    """A stand-in for handwriting: an upright for a 1, for the others a zigzag as wide as a digit."""
    label = int(rng.integers(10))
    points = [(0, 0), (0, 9)] if label == 1 else [(0, 0), (5, 1), (1, 5), (6, 8), (0, 9)]
    return label, [np.array(points, np.float32) + 40]


def drawn(name, seed=0):
    return FAMILIES[name].draw(np.random.default_rng(seed), digits)


def drawings(name):
    rng = np.random.default_rng(0)
    return [FAMILIES[name].draw(rng, digits) for _ in range(N_SEEDS)]


def same(one, other):
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def shape_of(alphabet, letter):
    return tuple(stroke.tobytes() for stroke in glyphs.glyph(alphabet, letter))


@pytest.mark.parametrize("name", FAMILIES)
def test_everything_drawn_is_usable(name):
    for seed in range(N_SEEDS):
        drawing = drawn(name, seed)
        if FAMILIES[name].kind in PICTURES:
            assert drawing.dtype == np.uint8
            assert drawing.ndim == 2
            assert min(drawing.shape) >= 28
        else:
            assert drawing
            for stroke in drawing:
                assert stroke.dtype == np.float32
                assert stroke.ndim == 2
                assert stroke.shape[0] >= 1
                assert stroke.shape[1] == 2
                assert np.isfinite(stroke).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_seed_decides(name):
    assert same(drawn(name, 3), drawn(name, 3))
    assert any(not same(drawn(name, seed), drawn(name, 3)) for seed in range(4, 9))  # a lone dot may come twice


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.kind == "blank"])
def test_blank_is_below_what_the_normaliser_takes_for_ink(name):
    assert max(int(np.ptp(picture)) for picture in drawings(name)) < SMALLEST_INK


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.kind in ("noise", "textures")])
def test_noise_and_texture_are_not_blank(name):
    assert normalize_each(drawings(name)).any(axis=(1, 2)).all()


def test_each_kind_is_trained_and_held_out():
    kinds = {is_held_out: {f.kind for f in FAMILIES.values() if f.is_held_out == is_held_out} for is_held_out in (0, 1)}
    assert {"letters", "symbols", "scribbles", "several digits", "noise", "blank"} <= kinds[True]
    assert kinds[True] == kinds[False]


def test_families_are_keyed_by_name_and_have_pens():
    for name, family in FAMILIES.items():
        assert family.name == name
        assert 0 < family.line_width[0] < family.line_width[1] <= 0.2


@pytest.mark.parametrize("alphabet", TRAINED + HELD_OUT, ids=lambda alphabet: f"{alphabet.font}-{alphabet.letters[0]}")
def test_alphabets_are_consistent(alphabet):
    assert len(alphabet.keys) == len(alphabet.letters) == len(set(alphabet.letters))
    assert set(alphabet.left_out) <= set(alphabet.letters)
    assert set(alphabet.digit_shaped) <= set("0123456789")
    assert all(glyphs.glyph(alphabet, letter) for letter in alphabet.kept)


def test_what_looks_like_a_digit_is_never_drawn(monkeypatch):
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
    assert not any(letter in alphabet.left_out for alphabet, letter in seen)
    assert not {letter for _, letter in seen} & set("OoIlSsZzBbgq|/()")
    assert not {letter for _, letter in seen} & set("\u041e\u0417\u0431\u0447\u039f\u0392")  # Cyrillic and Greek


def test_held_out_glyphs_are_not_trained():
    def kept(alphabets):
        return {letter for alphabet in alphabets for letter in alphabet.kept}

    def shapes(alphabets):
        return {shape_of(alphabet, letter) for alphabet in alphabets for letter in alphabet.kept}

    assert not kept(TRAINED) & kept(HELD_OUT)
    assert not shapes(TRAINED) & shapes(HELD_OUT)
    assert not {alphabet.font for alphabet in TRAINED} & {alphabet.font for alphabet in HELD_OUT}
    assert not set(SHAPES) & set(DOODLES)


def test_signs_are_of_many_parts_and_no_uprights():
    rng = np.random.default_rng(0)
    for _ in range(N_SEEDS):
        strokes = draw_sign(rng)
        assert len(strokes) >= 4
        width, height = np.ptp(bounds(strokes), axis=0)
        assert width > MIN_ASPECT * height


def test_letters_of_a_script_join_in_a_word():
    word = glyphs.draw_word((glyphs.CURSIVE,), 4, np.random.default_rng(0))
    low, high = bounds(word)
    assert high[0] - low[0] > high[1] - low[1]
    starts = [stroke[0, 0] for stroke in word]
    assert starts[0] < starts[-1]


@pytest.mark.parametrize(("name", "ratio"), [("scribbles", SCRIBBLE_LENGTH), ("curves", CURVE_LENGTH)])
def test_scribbles_are_longer_than_digits(name, ratio):
    for strokes in drawings(name):
        # They are turned after they are measured, which changes their box.
        assert length(strokes) > 0.6 * ratio * np.hypot(*np.ptp(bounds(strokes), axis=0))


def test_lone_dashes_lie():
    for strokes in drawings("dots_and_dashes"):
        for stroke in strokes:
            if len(stroke) > 1:
                across, down = np.abs(stroke[1] - stroke[0])
                assert np.arctan2(down, across) <= TILT_RAD + 1e-3


def test_a_single_bar_only_where_it_makes_no_other_digit():
    digit = [np.array([(0, 0), (5, 0), (0, 9), (5, 9)], np.float32)]
    rng = np.random.default_rng(0)
    for label in range(10):
        n_strokes = {len(FAMILIES["struck_digits"].draw(rng, lambda _, label=label: (label, digit))) for _ in range(50)}
        assert n_strokes == ({3} if label in NOT_WITH_ONE_BAR else {2, 3})


def test_a_one_keeps_its_distance():
    one = [np.array([(0, 0), (0, 9)], np.float32)]
    rng = np.random.default_rng(0)
    for _ in range(N_SEEDS):
        uprights = np.array([stroke[0] for stroke in FAMILIES["few_digits"].draw(rng, lambda _: (1, one))])
        assert np.abs(np.diff(uprights, axis=0)).max(axis=1).min() > 0.09


def test_fitting_keeps_the_shape():
    low, high = bounds(fit([np.array([(3, 4), (3, 8), (5, 8)], np.float32)]))
    assert low == pytest.approx([-0.25, -0.5])
    assert high == pytest.approx([0.25, 0.5])
    assert np.array_equal(fit([np.array([(3, 4)], np.float32)])[0], [[0, 0]])


def test_resampling_keeps_ends_and_length():
    corner = np.array([(0, 0), (0, 1), (2, 1)], np.float32)
    points = resample(corner, STEP)
    assert np.array_equal(points[[0, -1]], corner[[0, -1]])
    assert length([points]) == pytest.approx(3, abs=0.02)
    assert np.hypot(*np.diff(points, axis=0).T).max() <= STEP + 1e-6


def test_a_hand_varies_but_keeps_what_it_draws():
    square = [np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)], np.float32)]
    rng = np.random.default_rng(0)
    for _ in range(N_SEEDS):
        (written,) = write(square, rng)
        corners = resample(fit(square)[0], STEP)
        assert 0.001 < np.abs(written - corners).mean() < 0.3
