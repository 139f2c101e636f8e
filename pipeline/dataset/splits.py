"""The prepared images: how they are stored, found and named."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.errors import DataError
from pipeline.base.files import read_arrays, read_json, write_arrays, write_json
from pipeline.base.paths import PREPARED

NO_DIGIT = -1  # the label of what is no digit


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Attributes:
        images: uint8 ``[n, 28, 28]``, 255 = ink. Training and validation hold what the normaliser made of pictures
            (what the network sees); the test holds raw pixels, because it goes through the model whole.
        labels: int32 ``[n]``, the class; in training and validation also `NO_DIGIT`.
    """

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class DataCard:
    """What the prepared data is: it travels with the model, so that nobody claims other data than was used.

    Attributes:
        source: as in params.yaml.
        title: the same in words.
        train, validation, test: numbers of images.
        parts: what training and validation consist of: numbers of images of each kind.
        test_drawings: number of pen drawings by writers who appear nowhere else.
        sha256: of all images and labels of each split, and of the test drawings.
        parameters: the sections of params.yaml that the splits were made with.
    """

    source: str
    title: str
    train: int
    validation: int
    test: int
    parts: dict[str, dict[str, int]]
    test_drawings: int
    sha256: dict[str, str]
    parameters: dict[str, Any]

    def only(self, names: Collection[str]) -> "DataCard":
        """The card of a network that has seen these parts alone; `take` takes them from a split."""
        parts = {
            split: {name: n for name, n in sizes.items() if _is_in(name, names)} for split, sizes in self.parts.items()
        }
        if parts == self.parts:
            return self
        n_train, n_validation = (sum(parts[split].values()) for split in ("train", "validation"))
        title = f"{self.title}, of these {' and '.join(parts['train'])} alone"
        return replace(self, title=title, train=n_train, validation=n_validation, parts=parts)


def part_slices(parts: Mapping[str, int]) -> dict[str, slice]:
    """Where each part lies among the images of a split, by name; parts without images are left out."""
    ends = np.cumsum(list(parts.values())).tolist()
    return {
        name: slice(end - n_images, end) for (name, n_images), end in zip(parts.items(), ends, strict=True) if n_images
    }


def divide(split: Split, parts: Mapping[str, int]) -> dict[str, Split]:
    """The parts of a split by name; those without images are left out."""
    return {name: Split(split.images[part], split.labels[part]) for name, part in part_slices(parts).items()}


def join(splits: Iterable[Split]) -> Split:
    """The images of all, one after the other."""
    every = list(splits)
    return Split(np.concatenate([one.images for one in every]), np.concatenate([one.labels for one in every]))


def take(split: Split, parts: Mapping[str, int], names: Collection[str]) -> Split:
    """The parts named, in the order in which they lie in the split.

    Raises:
        DataError: they have no digit.
    """
    taken = [part for name, part in divide(split, parts).items() if _is_in(name, names)]
    if not any((part.labels != NO_DIGIT).any() for part in taken):
        raise DataError(f"train.parts={list(names)}: the prepared data has no digits of these, but {dict(parts)}")
    return join(taken)


def _is_in(part: str, names: Collection[str]) -> bool:
    return ("pendigits" if part == "extra" else part) in names  # pen strokes, all of them


def digest(split: Split) -> str:
    """SHA-256 of a split's pixels and labels, whatever file they are stored in."""
    return hashlib.sha256(split.images.tobytes() + split.labels.astype("<i4").tobytes()).hexdigest()


def save(
    splits: dict[str, Split], test_drawings: Mapping[str, np.ndarray], card: DataCard, directory: Path = PREPARED
) -> None:
    """Write each split, the test drawings as they are packed, and the card."""
    for name, split in splits.items():
        write_arrays(directory / f"{name}.npz", images=split.images, labels=split.labels)
    write_arrays(directory / "test_drawings.npz", **test_drawings)
    write_json(directory / "card.json", asdict(card))


def load_card(directory: Path = PREPARED) -> DataCard:
    """Read the card.

    Raises:
        DataError: there is none.
    """
    return DataCard(**read_json(directory / "card.json", made_by="prepare"))


def check_data(card: DataCard, **wanted: Mapping[str, Any]) -> None:
    """See to it that the prepared data was made with these values.

    Args:
        card: of the data.
        wanted: the sections `data` and `strokes` of params.yaml.

    Raises:
        DataError: it was not; names the values and the commands that make it so.
    """
    changed = [
        f"{section}.{key}={value}"
        for section, values in wanted.items()
        for key, value in values.items()
        if card.parameters.get(section, {}).get(key) != value
    ]
    if changed:
        overrides = " ".join(f"-S {override}" for override in changed)
        raise DataError(
            f"the prepared data was made with other values than {', '.join(changed)}: `dvc repro prepare` makes it "
            f"anew if params.yaml has them; else `dvc exp run {overrides} prepare`, which writes them there"
        )


def load_split(name: str, directory: Path = PREPARED) -> Split:
    """Read a split: "train", "validation" or "test".

    Raises:
        DataError: the file is missing or damaged.
    """
    return Split(**read_arrays(directory / f"{name}.npz", made_by="prepare"))
