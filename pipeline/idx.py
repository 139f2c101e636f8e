"""The format of MNIST's files."""

import gzip
import struct
from pathlib import Path

import numpy as np

from pipeline.errors import DataError


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, as MNIST's page describes them: magic number, big-endian sizes, data.

    Raises:
        DataError: not such a file, or its length does not fit its header.
    """
    try:
        content = gzip.decompress(path.read_bytes())
        zeros, kind, n_dimensions = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{n_dimensions}I", content[4 : 4 + 4 * n_dimensions])
        if (zeros, kind) != (0, 0x08):
            raise ValueError(f"starts with {content[:4].hex()}, which is not an idx file of bytes")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise DataError(f"{path} can't be read ({error}): delete it and run `dvc repro download`") from error
