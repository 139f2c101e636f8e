import numpy as np
import pytest

from pipeline import prepare
from pipeline.config import load_config
from pipeline.data import NO_DIGIT, load_card, load_split, read_arrays, save
from pipeline.unipen import Drawing, pack, unpack

FEW = ("strokes.skeletons=200", "strokes.renders=2", "strokes.nondigits=100")


def drawings(n_writers, n_each=2):
    stroke = np.array([[0, 0], [0, 100], [50, 100]], np.float32)
    return [Drawing(number % 10, writer, [stroke]) for writer in range(1, n_writers + 1) for number in range(n_each)]


@pytest.fixture
def prepared(digits, monkeypatch, tmp_path):
    """A function that prepares the embedded data, or what stands for MNIST and Pendigits, below tmp_path."""
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


EMBEDDED = "data.source=embedded"


def test_mnist_s_images_are_split_without_overlap_and_without_loss(prepared):
    directory = prepared("a", EMBEDDED)
    card = load_card(directory)
    assert card.parts == {
        "train": {"mnist": 3600, "pendigits": 0, "skeletons": 200, "nondigits": 100},
        "validation": {"mnist": 400, "skeletons": 1000, "nondigits": 100},
    }
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
    assert card.parts["train"]["pendigits"] == 25 * 2 * 2
    assert card.test_drawings == 14 * 2
    tested = unpack(read_arrays(directory / "test_drawings.npz", "prepare"))
    assert {drawing.writer for drawing in tested} == set(range(1, 15))


def test_without_pen_strokes_generated_ones_validate(prepared):
    card = load_card(prepared("a", "data.pendigits=false"))
    assert card.parts["validation"]["skeletons"] == 1000
    assert card.test_drawings == 0
    assert "pen" not in card.title


@pytest.mark.slow
def test_the_seed_decides_about_the_splits(prepared):
    digests = [
        load_card(prepared(name, EMBEDDED, *rest)).sha256 for name, *rest in (("a",), ("b",), ("c", "data.seed=1"))
    ]
    assert digests[0] == digests[1]
    for name in ("train", "validation", "test"):
        assert digests[0][name] != digests[2][name]


def test_the_card_says_what_was_used(prepared):
    card = load_card(prepared("a", EMBEDDED, "data.limit=50"))
    assert (card.source, card.train, card.validation, card.test) == ("embedded", 350, 200, 50)
    assert "embedded" in card.title
