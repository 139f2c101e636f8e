"""Stage 2: raw data -> training, validation and test images in data/prepared.

Training and validation images consist of the parts in `pipeline.base.parts`. The test data are MNIST's official test
images and the drawings of writers who are in no other split. Nothing is fitted to the test data.
"""

import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from pipeline.base.files import digest_arrays, read_arrays, write_arrays
from pipeline.base.parts import PARTS
from pipeline.base.paths import PREPARED, PROJECT, RAW
from pipeline.config.schema import Config, DataConfig
from pipeline.dataset.pictures import render_drawings, render_nondigits, render_skeletons
from pipeline.dataset.splits import DataCard, Split, digest, join, save
from pipeline.ink.normalize import normalize_all
from pipeline.runtime.mode import FOR_DATA, set_up
from pipeline.runtime.stage import run_stage
from pipeline.sources.mnist import read_idx
from pipeline.sources.unipen import Drawing, load_files, pack, unpack

log = logging.getLogger(__name__)

VALIDATION_RENDERS = 2  # pictures of each validation drawing: two pens, two canvases
VALIDATION_NONDIGITS = 2000
VALIDATION_SKELETONS = 1000  # generated validation digits, if there are no drawings


@dataclass(frozen=True)
class RawData:
    """The data from which the parts are made.

    Attributes:
        config: the hyperparameters.
        images: MNIST by split, not normalised.
        drawings: pen drawings by split; no writer is in two of them.
        extra: further drawings for training.
    """

    config: Config
    images: Mapping[str, Split]
    drawings: Mapping[str, list[Drawing]]
    extra: list[Drawing]


def _draw_mnist(raw: RawData, split: str) -> Split:
    return Split(normalize_all(raw.images[split].images), raw.images[split].labels)


def _draw_pendigits(raw: RawData, split: str) -> Split | None:
    drawings, seed, strokes = raw.drawings[split], raw.config.data.seed, raw.config.strokes
    if split == "train":
        return render_drawings(drawings, strokes.renders, seed + 1, is_warped=True, ink=strokes.ink)
    return render_drawings(drawings, VALIDATION_RENDERS, seed + 3, is_warped=False) if drawings else None


def _draw_skeletons(raw: RawData, split: str) -> Split | None:
    data, strokes = raw.config.data, raw.config.strokes
    if split == "train":
        return render_skeletons(strokes.skeletons, data.seed + 2, strokes.ink)
    return None if raw.drawings[split] else render_skeletons(VALIDATION_SKELETONS, data.seed + 3)[: data.limit]


def _draw_nondigits(raw: RawData, split: str) -> Split:
    n_pictures, seed, ink = raw.config.strokes.nondigits, raw.config.data.seed, raw.config.strokes.ink
    if split == "train":
        return render_nondigits(n_pictures, raw.drawings[split], seed + 4, ink)
    return render_nondigits(min(VALIDATION_NONDIGITS, n_pictures), raw.drawings[split], seed + 5)


def _draw_extra(raw: RawData, split: str) -> Split | None:
    if split != "train" or not raw.extra:
        return None
    strokes = raw.config.strokes
    return render_drawings(raw.extra, strokes.renders, raw.config.data.seed + 6, is_warped=True, ink=strokes.ink)


# Each part has its own seeds, so that a new part does not change the others. A function returns None if the part is not
# in the split.
DRAW: dict[str, Callable[[RawData, str], Split | None]] = {
    "mnist": _draw_mnist,
    "pendigits": _draw_pendigits,
    "skeletons": _draw_skeletons,
    "nondigits": _draw_nondigits,
    "extra": _draw_extra,
}


def prepare(config: Config) -> None:
    """Make the parts of each split, and write the splits and their card."""
    data = config.data
    set_up(FOR_DATA, data.seed)
    extra = [drawing for _, drawing in load_files(PROJECT / data.extra_strokes)] if data.extra_strokes else []
    images = {split: part[: data.limit] for split, part in _read_images(data).items()}
    drawings = {split: part[: data.limit] for split, part in _read_drawings(data).items()}
    raw = RawData(config, images, drawings, extra)
    parts = _draw_parts(raw)
    splits = {split: join(every.values()) for split, every in parts.items()} | {"test": images["test"]}
    title = "5,000 embedded MNIST training images" if data.source == "embedded" else "MNIST"
    title += " and pen strokes" if drawings["train"] else " and generated strokes"
    sha256 = {split: digest(images) for split, images in splits.items()}
    sha256["test_drawings"] = digest_arrays(pack(drawings["test"]))
    if extra:
        title += f", and {len(extra):,} extra drawings"
        sha256["extra_strokes"] = digest_arrays(pack(extra))
    card = DataCard(
        source=data.source,
        title=title,
        **{split: len(images.labels) for split, images in splits.items()},
        parts={split: {name: len(part.labels) for name, part in every.items()} for split, every in parts.items()},
        test_drawings=len(drawings["test"]),
        sha256=sha256,
        parameters={"data": data.model_dump(), "strokes": config.strokes.model_dump()},
    )
    save(splits, pack(drawings["test"]), card)
    write_arrays(PREPARED / "validation_drawings.npz", **pack(drawings["validation"]))  # for the weights of numbers
    log.info("%s: %d train, %d validation, %d test", card.title, card.train, card.validation, card.test)
    log.info("test: %d images, %d drawings", card.test, card.test_drawings)


def _draw_parts(raw: RawData) -> dict[str, dict[str, Split]]:
    """Draw the parts of the splits for training and validation, in two processes."""
    # The slowest part first.
    tasks = [(raw, split, name) for name in reversed(PARTS) for split in ("train", "validation")]
    parts: dict[str, dict[str, Split]] = {"train": {}, "validation": {}}
    with get_context("spawn").Pool(FOR_DATA.threads, _start_worker, (raw.config.data.seed,)) as pool:
        for (_, split, name), part in zip(tasks, pool.imap(_draw_part, tasks), strict=True):
            if part is not None:
                parts[split] = {name: part} | parts[split]
                log.info("%s: %d %s", split, len(part.labels), name)
    return parts


def _start_worker(seed: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stage stops its workers
    set_up(FOR_DATA, seed)


def _draw_part(task: tuple[RawData, str, str]) -> Split | None:
    raw, split, name = task
    return DRAW[name](raw, split)


def _read_images(data: DataConfig) -> dict[str, Split]:
    if data.source == "embedded":
        every = Split(**read_arrays(RAW / "embedded.npz", made_by="download"))
        test, rest = _split_off(every, data.test_fraction, data.seed)
    else:
        rest, test = (_read_mnist(name) for name in ("train", "t10k"))
    validation, train = _split_off(rest, data.validation_fraction, data.seed)
    return {"train": train, "validation": validation, "test": test}


def _read_mnist(name: str) -> Split:
    labels = read_idx(RAW / f"{name}-labels-idx1-ubyte.gz").astype(np.int32)
    return Split(read_idx(RAW / f"{name}-images-idx3-ubyte.gz"), labels)


def _read_drawings(data: DataConfig) -> dict[str, list[Drawing]]:
    if data.source == "embedded" or not data.pendigits:
        return {"train": [], "validation": [], "test": []}
    known, test = (unpack(read_arrays(RAW / f"pendigits-{part}.npz", "download")) for part in ("train", "test"))
    writers = np.random.default_rng(data.seed).permutation(sorted({drawing.writer for drawing in known}))
    kept = set(writers[: data.validation_writers].tolist())
    train, validation = ([one for one in known if (one.writer in kept) == is_kept] for is_kept in (False, True))
    return {"train": train, "validation": validation, "test": test}


def _split_off(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Shuffle, and return `fraction` of the images and the rest."""
    order = np.random.default_rng(seed).permutation(len(split.labels))
    first, rest = np.split(order, [round(fraction * len(order))])
    return split[first], split[rest]


if __name__ == "__main__":
    run_stage(prepare)
