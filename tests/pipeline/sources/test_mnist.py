import gzip
import struct

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.sources.mnist import read_idx


def idx(array, magic=b"\0\0\x08"):
    return magic + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_an_idx_file_is_read(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(read_idx(tmp_path / "a.gz"), array)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(gzip.compress(idx(np.zeros((2, 2), np.uint8), magic=b"\0\0\x0d")), id="another type"),
        pytest.param(gzip.compress(idx(np.zeros((2, 2), np.uint8))[:-1]), id="value missing"),
        pytest.param(gzip.compress(idx(np.zeros((2, 2), np.uint8)))[:-9], id="gzip truncated"),
    ],
)
def test_a_damaged_idx_file_is_named(content, tmp_path):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.gz"):
        read_idx(tmp_path / "a.gz")
