"""Stage 2: raw data -> training, validation and test images in data/prepared.

The official test images stay apart: only `evaluate`, and `export` for parity, ever read them.
"""

import gzip
import logging
import struct
from pathlib import Path

import numpy as np

from pipeline.config import Config, DataConfig
from pipeline.data import DataCard, Split, digest, read_arrays, save
from pipeline.errors import DataError
from pipeline.normalize import normalize_all
from pipeline.paths import RAW
from pipeline.stage import run_stage

log = logging.getLogger(__name__)


def prepare(config: Config) -> None:
    """Split, shorten to the limit, normalise what trains and validates, and write it with its card."""
    data = config.data
    splits = _split_embedded(data) if data.source == "embedded" else _split_mnist(data)
    if data.limit is not None:
        splits = {name: Split(split.images[: data.limit], split.labels[: data.limit]) for name, split in splits.items()}
    for name in ("train", "validation"):
        splits[name] = Split(normalize_all(splits[name].images), splits[name].labels)
    sizes = {name: len(split.labels) for name, split in splits.items()}
    card = DataCard(
        source=data.source,
        title="5,000 embedded MNIST training images" if data.source == "embedded" else "MNIST",
        **sizes,
        sha256={name: digest(split) for name, split in splits.items()},
        parameters=data.model_dump(),
    )
    save(splits, card)
    log.info("%s: %s", card.title, ", ".join(f"{size} {name}" for name, size in sizes.items()))


def _split_mnist(data: DataConfig) -> dict[str, Split]:
    images, labels = read_idx(RAW / "train-images-idx3-ubyte.gz"), read_idx(RAW / "train-labels-idx1-ubyte.gz")
    validation, train = _divide(Split(images, labels.astype(np.int32)), data.validation_fraction, data.seed)
    test_labels = read_idx(RAW / "t10k-labels-idx1-ubyte.gz").astype(np.int32)
    test = Split(read_idx(RAW / "t10k-images-idx3-ubyte.gz"), test_labels)
    return {"train": train, "validation": validation, "test": test}


def _split_embedded(data: DataConfig) -> dict[str, Split]:
    every = read_arrays(RAW / "embedded.npz", made_by="download")
    test, rest = _divide(every, data.test_fraction, data.seed)
    validation, train = _divide(rest, data.validation_fraction, data.seed)
    return {"train": train, "validation": validation, "test": test}


def _divide(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Shuffle, and cut off `fraction` of the images: (the part cut off, the rest)."""
    order = np.random.default_rng(seed).permutation(len(split.labels))
    first, rest = np.split(order, [round(fraction * len(order))])
    return Split(split.images[first], split.labels[first]), Split(split.images[rest], split.labels[rest])


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


if __name__ == "__main__":
    run_stage(prepare)
