import numpy as np
import pytest

from pipeline import prepare
from pipeline.base.errors import DataError
from pipeline.base.files import read_arrays
from pipeline.base.parts import PARTS, find_part
from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, load_card, load_split, save, select_parts
from pipeline.registry.gates import Limits
from pipeline.sources.unipen import Drawing, pack, unpack

FEW = ("strokes.skeletons=200", "strokes.renders=2", "strokes.nondigits=100")
EMBEDDED = "data.source=embedded"


def drawings(n_writers, n_each=2):
    stroke = np.array([[0, 0], [0, 100], [50, 100]], np.float32)
    return [Drawing(number % 10, writer, [stroke]) for writer in range(1, n_writers + 1) for number in range(n_each)]


def unipen(label):
    return f'.SEGMENT DIGIT 0 ? "{label}"\n.COMMENT {label} 1 1\n.PEN_DOWN\n0 100\n0 0\n50 0\n.PEN_UP\n'


@pytest.fixture
def prepared(digits, monkeypatch, tmp_path):
    """Return a function that prepares the embedded data, or a replacement of MNIST and Pendigits, below tmp_path."""
    images, labels = digits
    np.savez(tmp_path / "embedded.npz", images=images, labels=labels.astype(np.int32))
    for part, n_writers in (("train", 30), ("test", 14)):
        np.savez(tmp_path / f"pendigits-{part}.npz", **pack(drawings(n_writers)))
    monkeypatch.setattr(prepare, "RAW", tmp_path)
    monkeypatch.setattr(prepare, "_read_mnist", lambda name: prepare.Split(images[:500], labels[:500].astype(np.int32)))

    def run(name, *overrides):
        monkeypatch.setattr(
            prepare, "save", lambda splits, drawings, card: save(splits, drawings, card, tmp_path / name)
        )
        prepare.prepare(load_config([*FEW, *overrides]))
        return tmp_path / name

    return run


def test_every_part_has_a_drawing_and_a_gate():
    assert list(prepare.DRAW) == list(PARTS)
    assert {part.gate for part in PARTS.values()} <= set(Limits.model_fields)


def test_an_unknown_part_is_an_error():
    with pytest.raises(DataError, match=r"unknown part 'doodles', not one of mnist, .*: run `dvc repro prepare`"):
        find_part("doodles")


def test_mnist_is_split_without_overlap_or_loss(prepared):
    directory = prepared("a", EMBEDDED)
    card = load_card(directory)
    assert card.parts == {
        "train": {"mnist": 3600, "pendigits": 0, "skeletons": 200, "nondigits": 100},
        "validation": {"mnist": 400, "skeletons": 1000, "nondigits": 100},
    }
    assert card.title == "5,000 embedded MNIST training images and generated strokes"
    splits = [load_split(name, directory) for name in ("train", "validation", "test")]
    labels = [splits[0].labels[:3600], splits[1].labels[:400], splits[2].labels]
    assert (splits[0].labels == NO_DIGIT).sum() == (splits[1].labels == NO_DIGIT).sum() == 100
    assert (splits[2].labels != NO_DIGIT).all()
    assert np.sum([np.bincount(part, minlength=10) for part in labels], axis=0).tolist() == [500] * 10


def test_no_writer_is_in_two_splits(prepared, monkeypatch):
    seen = []
    render = prepare.render_drawings
    monkeypatch.setattr(
        prepare, "render_drawings", lambda who, *rest, **more: seen.append(who) or render(who, *rest, **more)
    )
    directory = prepared("a", "data.validation_writers=5")
    train, validation = ({drawing.writer for drawing in part} for part in seen)
    assert (len(train), len(validation)) == (25, 5)
    assert not train & validation
    card = load_card(directory)
    assert card.title == "MNIST and pen strokes"
    assert card.parts["train"]["pendigits"] == 25 * 2 * 2
    assert card.test_drawings == 14 * 2
    tested = unpack(read_arrays(directory / "test_drawings.npz", "prepare"))
    assert {drawing.writer for drawing in tested} == set(range(1, 15))


def test_without_pen_strokes_generated_ones_validate_and_the_limit_shortens_each_split(prepared):
    card = load_card(prepared("a", "data.pendigits=false", "data.limit=20"))
    assert card.parts["validation"] == {"mnist": 20, "skeletons": 20, "nondigits": 100}
    assert (card.train, card.validation, card.test, card.test_drawings) == (320, 140, 20, 0)
    assert card.title == "MNIST and generated strokes"


@pytest.mark.slow
def test_the_seed_decides_the_splits(prepared):
    digests = [
        load_card(prepared("a", EMBEDDED, seed)).sha256 for seed in ("data.seed=2", "data.seed=2", "data.seed=1")
    ]
    assert digests[0] == digests[1]
    for name in ("train", "validation", "test"):
        assert digests[0][name] != digests[2][name]


@pytest.mark.slow
def test_extra_drawings_are_appended_to_the_training_images_only(prepared, tmp_path):
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "b.unipen").write_text(unipen(3) + unipen(5))
    (folder / "a.unipen").write_text(unipen(8))
    (folder / "notes.txt").write_text("not strokes")
    plain, more = prepared("a", EMBEDDED), prepared("b", EMBEDDED, f"data.extra_strokes={folder}")
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
