import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.base.files import write_atomic
from pipeline.dataset import splits
from pipeline.dataset.splits import NO_DIGIT, DataCard, Split, load_card


def a_split(n=3):
    return Split(np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28), np.arange(n, dtype=np.int32))


def test_splits_and_card_are_saved_with_the_same_bytes_each_time(tmp_path):
    card = DataCard("mnist", "MNIST", 3, 3, 3, {}, 0, {"train": splits.digest(a_split())}, {})
    contents = []
    for name in ("a", "b"):
        splits.save({"train": a_split()}, {}, card, tmp_path / name)
        contents.append((tmp_path / name / "train.npz").read_bytes())
    assert contents[0] == contents[1]
    assert splits.digest(splits.load_split("train", tmp_path / "a")) == card.sha256["train"]
    assert load_card(tmp_path / "a") == card


def test_parts_are_split_joined_and_selected_in_the_order_of_the_split():
    sizes = {"mnist": 2, "skeletons": 0, "extra": 3, "nondigits": 1}
    split = Split(np.arange(6, dtype=np.uint8).repeat(784).reshape(6, 28, 28), np.array([0, 1, 2, 3, 4, NO_DIGIT]))
    parts = splits.split_by_part(split, sizes)
    labels = {name: part.labels.tolist() for name, part in parts.items()}
    assert labels == {"mnist": [0, 1], "extra": [2, 3, 4], "nondigits": [NO_DIGIT]}
    assert splits.join([parts["extra"], parts["mnist"]]).images[:, 0, 0].tolist() == [2, 3, 4, 0, 1]
    assert splits.select_parts(split, sizes, ["nondigits", "mnist"]).labels.tolist() == [0, 1, NO_DIGIT]
    assert splits.select_parts(split, sizes, ["pendigits"]).labels.tolist() == [2, 3, 4]
    with pytest.raises(DataError, match=r"unknown part 'other', not one of mnist, .*: run `dvc repro prepare`"):
        splits.select_parts(split, {"mnist": 5, "other": 1}, ["mnist"])
    for names in (["nondigits"], ["skeletons"]):
        with pytest.raises(
            DataError, match=rf"train\.parts=\['{names[0]}'\]: the prepared data has no digits of these parts"
        ):
            splits.select_parts(split, sizes, names)


def test_a_restricted_card_has_only_the_selected_parts():
    parts = {"train": {"mnist": 5, "pendigits": 3}, "validation": {"mnist": 2, "skeletons": 1}}
    card = DataCard("mnist", "MNIST and pen strokes", 8, 3, 4, parts, 0, {}, {})
    assert card.restrict_to(["nondigits", "skeletons", "pendigits", "mnist"]) == card
    mnist = card.restrict_to(["mnist"])
    assert (mnist.train, mnist.validation, mnist.test) == (5, 2, 4)
    assert mnist.parts == {"train": {"mnist": 5}, "validation": {"mnist": 2}}
    assert mnist.title == "MNIST and pen strokes, only mnist"


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.npz.*dvc repro prepare"):
        splits.load_split("train", tmp_path)
    whole = tmp_path / "whole.npz"
    np.savez(whole, images=a_split().images, labels=a_split().labels)
    for content in (b"not a zip", b"", whole.read_bytes()[:-40], whole.read_bytes()[:50], whole.read_bytes()[50:]):
        (tmp_path / "train.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"train\.npz"):
            splits.load_split("train", tmp_path)
    with pytest.raises(DataError, match=r"card\.json"):
        load_card(tmp_path)


def test_an_interrupted_write_leaves_what_was_there(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(target, fail)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
