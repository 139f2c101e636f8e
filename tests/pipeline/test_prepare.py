import gzip
import struct

import numpy as np
import pytest

from pipeline import prepare
from pipeline.config import load_config
from pipeline.data import load_card, load_split, save
from pipeline.errors import DataError


@pytest.fixture
def prepared(digits, monkeypatch, tmp_path):
    """A function that prepares the embedded data below tmp_path."""
    images, labels = digits
    np.savez(tmp_path / "embedded.npz", images=images, labels=labels.astype(np.int32))
    monkeypatch.setattr(prepare, "RAW", tmp_path)

    def run(name, *overrides):
        monkeypatch.setattr(prepare, "save", lambda splits, card: save(splits, card, tmp_path / name))
        prepare.prepare(load_config(["data.source=embedded", *overrides]))
        return tmp_path / name

    return run


def test_splits_share_no_image_and_miss_none(prepared):
    directory = prepared("a")
    splits = [load_split(name, directory) for name in ("train", "validation", "test")]
    assert [len(split.labels) for split in splits] == [3600, 400, 1000]
    assert np.sum([np.bincount(split.labels, minlength=10) for split in splits], axis=0).tolist() == [500] * 10


def test_the_seed_decides_about_the_splits(prepared):
    digests = [load_card(prepared(*arguments)).sha256 for arguments in (("a",), ("b",), ("c", "data.seed=1"))]
    assert digests[0] == digests[1]
    assert not set(digests[0].values()) & set(digests[2].values())


def test_the_card_says_what_was_used(prepared):
    card = load_card(prepared("a", "data.limit=50"))
    assert (card.source, card.train, card.validation, card.test) == ("embedded", 50, 50, 50)
    assert "embedded" in card.title


def idx(array, magic=b"\0\0\x08"):
    return magic + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_idx_files_are_read(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(prepare.read_idx(tmp_path / "a.gz"), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b""),
        gzip.compress(idx(np.zeros((2, 2), np.uint8), magic=b"\0\0\x0d")),
        gzip.compress(idx(np.zeros((2, 2), np.uint8))[:-1]),
        gzip.compress(idx(np.zeros((2, 2), np.uint8)))[:-9],
    ],
)
def test_a_damaged_idx_file_is_named(content, tmp_path):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.gz"):
        prepare.read_idx(tmp_path / "a.gz")
