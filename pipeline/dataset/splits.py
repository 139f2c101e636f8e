"""Store and load the prepared images, and select parts of them."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.errors import DataError
from pipeline.base.files import read_arrays, read_json, write_arrays, write_json
from pipeline.base.parts import find_part
from pipeline.base.paths import PREPARED
from pipeline.config.values import dotted

NO_DIGIT = -1  # label of non-digits


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Attributes:
        images: uint8 ``[n, 28, 28]``, 255 = ink. Training and validation images are normalised. Test images are raw
            pixels, because the whole model is tested.
        labels: int32 ``[n]``, the class; in training and validation also `NO_DIGIT`.
    """

    images: np.ndarray
    labels: np.ndarray

    def __getitem__(self, which: slice | np.ndarray) -> "Split":
        """Return the selected images with their labels."""
        return Split(self.images[which], self.labels[which])


@dataclass(frozen=True)
class DataCard:
    """Description of the prepared data. The model file contains it.

    Attributes:
        source: `data.source` of params.yaml.
        title: the source in words.
        train, validation, test: numbers of images.
        parts: number of images of each part, for each split.
        test_drawings: number of pen drawings by writers who are in no other split.
        sha256: of the images and labels of each split, and of the drawings.
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

    def restrict_to(self, names: Collection[str]) -> "DataCard":
        """Return the card of only these parts, as `select_parts` selects them."""
        parts = {
            split: {part: n for part, n in sizes.items() if _is_selected(part, names)}
            for split, sizes in self.parts.items()
        }
        if parts == self.parts:
            return self
        n_train, n_validation = (sum(parts[split].values()) for split in ("train", "validation"))
        title = f"{self.title}, only {' and '.join(parts['train'])}"
        return replace(self, title=title, train=n_train, validation=n_validation, parts=parts)


def part_slices(parts: Mapping[str, int]) -> dict[str, slice]:
    """Return the slice of each part within its split, without empty parts."""
    ends = np.cumsum(list(parts.values())).tolist()
    return {
        name: slice(end - n_images, end) for (name, n_images), end in zip(parts.items(), ends, strict=True) if n_images
    }


def split_by_part(split: Split, parts: Mapping[str, int]) -> dict[str, Split]:
    """Return the images of each part, without empty parts."""
    return {name: split[part] for name, part in part_slices(parts).items()}


def join(splits: Iterable[Split]) -> Split:
    """Concatenate splits."""
    every = list(splits)
    return Split(np.concatenate([one.images for one in every]), np.concatenate([one.labels for one in every]))


def select_parts(split: Split, parts: Mapping[str, int], names: Collection[str]) -> Split:
    """Return the images of some parts, in the order of the split.

    Args:
        split: the images.
        parts: the number of images of each part.
        names: names of parts, from `train.parts`.

    Raises:
        DataError: a part is unknown, or the selected parts contain no digits.
    """
    selected = [part for name, part in split_by_part(split, parts).items() if _is_selected(name, names)]
    if not any((part.labels != NO_DIGIT).any() for part in selected):
        raise DataError(
            f"train.parts={list(names)}: the prepared data has no digits of these parts, only {dict(parts)}"
        )
    return join(selected)


def _is_selected(part: str, names: Collection[str]) -> bool:
    return (find_part(part).selected_with or part) in names


def digest(split: Split) -> str:
    """Return the SHA-256 of the pixels and labels."""
    return hashlib.sha256(split.images.tobytes() + split.labels.astype("<i4").tobytes()).hexdigest()


def save(
    splits: dict[str, Split], test_drawings: Mapping[str, np.ndarray], card: DataCard, directory: Path = PREPARED
) -> None:
    """Write the splits, the packed test drawings and the card."""
    for name, split in splits.items():
        write_arrays(directory / f"{name}.npz", images=split.images, labels=split.labels)
    write_arrays(directory / "test_drawings.npz", **test_drawings)
    write_json(directory / "card.json", asdict(card))


def load_card(directory: Path = PREPARED) -> DataCard:
    """Read the card.

    Raises:
        DataError: the file is missing or damaged.
    """
    return DataCard(**read_json(directory / "card.json", made_by="prepare"))


def check_data(card: DataCard, **wanted: Mapping[str, Any]) -> None:
    """Raise `DataError` if the prepared data was made with other parameters.

    Args:
        card: card of the prepared data.
        wanted: the sections `data` and `strokes` of params.yaml.
    """
    known = dict(dotted(card.parameters))
    changed = [f"{key}={value}" for key, value in dotted(wanted) if known.get(key) != value]
    if changed:
        overrides = " ".join(f"-S {override}" for override in changed)
        raise DataError(
            f"the prepared data was not made with {', '.join(changed)}: if params.yaml has these values, run "
            f"`dvc repro prepare`; otherwise run `dvc exp run {overrides} prepare`, which writes them to params.yaml"
        )


def load_split(name: str, directory: Path = PREPARED) -> Split:
    """Read a split: "train", "validation" or "test".

    Raises:
        DataError: the file is missing or damaged.
    """
    return Split(**read_arrays(directory / f"{name}.npz", made_by="prepare"))
