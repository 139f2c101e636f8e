import functools
import multiprocessing.dummy

import numpy as np
import pytest

from pipeline import prepare
from pipeline.base.errors import DataError
from pipeline.base.files import read_arrays
from pipeline.base.parts import PARTS
from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, load_card, load_split, save, select_parts
from pipeline.registry.gates import Limits
from pipeline.sources.unipen import Drawing, pack, unpack

FEW = ("strokes.skeletons=50", "strokes.renders=2", "strokes.nondigits=40")
EMBEDDED = "data.source=embedded"
SPLITS = ("train", "validation", "test")


def drawings(n_writers, n_each=2):
    stroke = np.array([[0, 0], [0, 100], [50, 100]], np.float32)
    return [Drawing(number % 10, writer, [stroke]) for writer in range(1, n_writers + 1) for number in range(n_each)]


def unipen(label):
    return f'.SEGMENT DIGIT 0 ? "{label}"\n.COMMENT {label} 1 1\n.PEN_DOWN\n0 100\n0 0\n50 0\n.PEN_UP\n'


@pytest.fixture(scope="module")
def prepared(digits, tmp_path_factory):
    """Return a function that prepares the embedded data, or a replacement of MNIST and Pendigits, once for a file."""
    images, labels = digits
    raw = tmp_path_factory.mktemp("raw")
    np.savez(raw / "embedded.npz", images=images, labels=labels)
    for part, n_writers in (("train", 30), ("test", 14)):
        np.savez(raw / f"pendigits-{part}.npz", **pack(drawings(n_writers)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "RAW", raw)
        patch.setattr(prepare, "VALIDATION_SKELETONS", 100)
        # Threads instead of processes, so that replaced functions are called.
        patch.setattr(prepare, "get_context", lambda _: multiprocessing.dummy)
        patch.setattr(prepare, "_start_worker", lambda _: None)
        patch.setattr(prepare, "_read_mnist", lambda name: prepare.Split(images[:500], labels[:500]))

        @functools.cache
        def run(*overrides):
            directory = tmp_path_factory.mktemp("prepared")
            patch.setattr(prepare, "PREPARED", directory)
            patch.setattr(prepare, "save", functools.partial(save, directory=directory))
            prepare.prepare(load_config([*FEW, *overrides]))
            return directory

        yield run


def test_every_part_has_a_drawing_and_a_gate():
    assert list(prepare.DRAW) == list(PARTS)
    assert {part.gate for part in PARTS.values()} <= set(Limits.model_fields)


def test_the_size_of_each_part_is_printed(prepared, caplog):
    caplog.set_level("INFO")
    prepared(EMBEDDED, "data.limit=30")
    assert {"train: 30 mnist", "train: 50 skeletons", "train: 40 nondigits"} <= set(caplog.messages)
    assert max(map(len, caplog.messages)) <= 120


def test_mnist_is_split_without_overlap_or_loss(prepared):
    directory = prepared(EMBEDDED)
    card = load_card(directory)
    assert card.parts == {
        "train": {"mnist": 3600, "pendigits": 0, "skeletons": 50, "nondigits": 40},
        "validation": {"mnist": 400, "skeletons": 100, "nondigits": 40},
    }
    assert card.title == "5,000 embedded MNIST training images and generated strokes"
    splits = [load_split(name, directory) for name in SPLITS]
    labels = [splits[0].labels[:3600], splits[1].labels[:400], splits[2].labels]
    assert (splits[0].labels == NO_DIGIT).sum() == (splits[1].labels == NO_DIGIT).sum() == 40
    assert (splits[2].labels != NO_DIGIT).all()
    assert np.sum([np.bincount(part, minlength=10) for part in labels], axis=0).tolist() == [500] * 10


def test_no_writer_is_in_two_splits(prepared, monkeypatch):
    seen = []
    render = prepare.render_drawings
    monkeypatch.setattr(
        prepare, "render_drawings", lambda who, *rest, **more: seen.append(who) or render(who, *rest, **more)
    )
    directory = prepared("data.validation_writers=5")
    validation, train = sorted(({drawing.writer for drawing in part} for part in seen), key=len)
    assert (len(train), len(validation)) == (25, 5)
    assert not train & validation
    card = load_card(directory)
    assert card.title == "MNIST and pen strokes"
    assert card.parts["train"]["pendigits"] == 25 * 2 * 2
    assert card.test_drawings == 14 * 2
    tested = unpack(read_arrays(directory / "test_drawings.npz", "prepare"))
    assert {drawing.writer for drawing in tested} == set(range(1, 15))
    known = unpack(read_arrays(directory / "validation_drawings.npz", "prepare"))
    assert {drawing.writer for drawing in known} == validation


def test_without_pen_strokes_generated_ones_validate_and_the_limit_shortens_each_split(prepared):
    card = load_card(prepared("data.pendigits=false", "data.limit=20"))
    assert card.parts["validation"] == {"mnist": 20, "skeletons": 20, "nondigits": 40}
    assert (card.train, card.validation, card.test, card.test_drawings) == (110, 80, 20, 0)
    assert card.title == "MNIST and generated strokes"


@pytest.mark.slow
def test_extra_drawings_are_appended_to_the_training_images_only(prepared, tmp_path):
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "b.unipen").write_text(unipen(3) + unipen(5))
    (folder / "a.unipen").write_text(unipen(8))
    (folder / "notes.txt").write_text("not strokes")
    plain, more = prepared(EMBEDDED), prepared(EMBEDDED, f"data.extra_strokes={folder}")
    card, card_with = load_card(plain), load_card(more)
    assert card_with.parts["train"] == card.parts["train"] | {"extra": 3 * 2}
    assert card_with.parts["validation"] == card.parts["validation"]
    assert card_with.title.endswith("and generated strokes, and 3 extra drawings")
    assert set(card_with.sha256) - set(card.sha256) == {"extra_strokes"}
    for name in ("validation", "test"):
        assert card.sha256[name] == card_with.sha256[name]
    before, after = load_split("train", plain), load_split("train", more)
    np.testing.assert_array_equal(after.images[: card.train], before.images)
    assert after.labels[card.train :].tolist() == [8, 8, 3, 3, 5, 5]
    assert after.images[card.train :].max(axis=(1, 2)).min() > 0
    selected = select_parts(after, card_with.parts["train"], load_config().train.parts)
    assert len(selected.labels) == card_with.train


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "no such directory"),
        (lambda folder: folder.mkdir(), r"no \*\.unipen in it"),
        (lambda folder: (folder.mkdir(), (folder / "a.unipen").write_text(unipen(8)[:-9])), r"a\.unipen: UNIPEN line"),
        (lambda folder: (folder.mkdir(), (folder / "a.unipen").write_bytes(b"\xff\xd8")), r"a\.unipen: "),
        (lambda folder: (folder / "a.unipen").mkdir(parents=True), r"a\.unipen: "),
    ],
)
def test_unreadable_extra_drawings_are_named(tmp_path, make, message):
    make(tmp_path / "collected")
    with pytest.raises(DataError, match=message):
        prepare.prepare(load_config([EMBEDDED, f"data.extra_strokes={tmp_path / 'collected'}"]))
