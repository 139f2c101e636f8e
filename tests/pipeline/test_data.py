import numpy as np
import pytest

from pipeline.data import DataCard, Split, digest, load_card, load_split, save, write_atomic
from pipeline.errors import DataError


def a_split(n=3):
    return Split(np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28), np.arange(n, dtype=np.int32))


def test_splits_and_card_come_back_as_saved_and_the_bytes_are_the_same_each_time(tmp_path):
    card = DataCard("mnist", "MNIST", 3, 3, 3, {}, 0, {"train": digest(a_split())}, {})
    contents = []
    for name in ("a", "b"):
        save({"train": a_split()}, {}, card, tmp_path / name)
        contents.append((tmp_path / name / "train.npz").read_bytes())
    assert contents[0] == contents[1]
    assert digest(load_split("train", tmp_path / "a")) == card.sha256["train"]
    assert load_card(tmp_path / "a") == card


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.npz.*dvc repro prepare"):
        load_split("train", tmp_path)
    whole = tmp_path / "whole.npz"
    np.savez(whole, images=a_split().images, labels=a_split().labels)
    for content in (b"not a zip", b"", whole.read_bytes()[:-40], whole.read_bytes()[:50], whole.read_bytes()[50:]):
        (tmp_path / "train.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"train\.npz"):
            load_split("train", tmp_path)
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
