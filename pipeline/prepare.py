"""Stage 2: raw data -> training, validation and test images in data/prepared.

Training and validation join MNIST's images with pictures of pen strokes, of generated digits and of things that are
none. What is tested with stays apart: MNIST's official test images, and the drawings of writers who appear nowhere
else. Nothing is fitted to them.
"""

import logging

import numpy as np

from pipeline.base.files import digest_arrays, read_arrays
from pipeline.base.paths import PROJECT, RAW
from pipeline.config.schema import Config, DataConfig
from pipeline.dataset.pictures import render_drawings, render_nondigits, render_skeletons
from pipeline.dataset.splits import DataCard, Split, digest, join, save
from pipeline.ink.normalize import normalize_all
from pipeline.runtime.mode import FOR_DATA, set_up
from pipeline.runtime.stage import run_stage
from pipeline.sources.mnist import read_idx
from pipeline.sources.unipen import Drawing, load_drawings, pack, unpack

log = logging.getLogger(__name__)

Parts = dict[str, Split]  # by what the images are made from

TITLES = {
    ("mnist", True): "MNIST and pen strokes",
    ("mnist", False): "MNIST and generated strokes",
    ("embedded", True): "5,000 embedded MNIST training images and generated strokes",
    ("embedded", False): "5,000 embedded MNIST training images and generated strokes",
}
VALIDATION_RENDERS = 2  # pictures of each validation drawing: two pens, two canvases
VALIDATION_NONDIGITS = 2000
VALIDATION_SKELETONS = 1000  # where there are no drawings to validate with


def prepare(config: Config) -> None:
    """Split, draw, normalise what trains and validates, and write it with its card."""
    data = config.data
    set_up(FOR_DATA, data.seed)
    extra = load_drawings(PROJECT / data.extra_strokes) if data.extra_strokes else []  # an error should come soon
    images = {name: _shorten(split, data.limit) for name, split in _images(data).items()}
    train_drawings, validation_drawings, test_drawings = (drawings[: data.limit] for drawings in _drawings(data))

    train: Parts = {
        "mnist": _normalized(images["train"]),
        "pendigits": render_drawings(train_drawings, config.strokes.renders, data.seed + 1, is_warped=True),
        "skeletons": render_skeletons(config.strokes.skeletons, data.seed + 2),
        "nondigits": render_nondigits(config.strokes.nondigits, train_drawings, data.seed + 4),
    }
    if extra:  # after the others, which stay as they are without
        train["extra"] = render_drawings(extra, config.strokes.renders, data.seed + 6, is_warped=True)
    validation: Parts = {"mnist": _normalized(images["validation"])}
    if validation_drawings:
        seed = data.seed + 3
        validation["pendigits"] = render_drawings(validation_drawings, VALIDATION_RENDERS, seed, is_warped=False)
    else:
        validation["skeletons"] = _shorten(render_skeletons(VALIDATION_SKELETONS, data.seed + 3), data.limit)
    n_nondigits = min(VALIDATION_NONDIGITS, config.strokes.nondigits)
    validation["nondigits"] = render_nondigits(n_nondigits, validation_drawings, data.seed + 5)
    splits = {"train": join(train.values()), "validation": join(validation.values()), "test": images["test"]}
    card = DataCard(
        source=data.source,
        title=TITLES[data.source, data.pendigits] + (f", and {len(extra):,} extra drawings" if extra else ""),
        train=len(splits["train"].labels),
        validation=len(splits["validation"].labels),
        test=len(splits["test"].labels),
        parts={"train": _sizes(train), "validation": _sizes(validation)},
        test_drawings=len(test_drawings),
        sha256={name: digest(split) for name, split in splits.items()}
        | {"test_drawings": digest_arrays(pack(test_drawings))}
        | ({"extra_strokes": digest_arrays(pack(extra))} if extra else {}),
        parameters={"data": data.model_dump(), "strokes": config.strokes.model_dump()},
    )
    save(splits, pack(test_drawings), card)
    log.info("%s: %d train, %d validation, %d test", card.title, card.train, card.validation, card.test)
    log.info("of these %s; %d test drawings", card.parts, card.test_drawings)


def _images(data: DataConfig) -> Parts:
    """MNIST as training, validation and test images, raw."""
    if data.source == "embedded":
        every = Split(**read_arrays(RAW / "embedded.npz", made_by="download"))
        test, rest = _divide(every, data.test_fraction, data.seed)
    else:
        rest, test = (_read_mnist(name) for name in ("train", "t10k"))
    validation, train = _divide(rest, data.validation_fraction, data.seed)
    return {"train": train, "validation": validation, "test": test}


def _read_mnist(name: str) -> Split:
    labels = read_idx(RAW / f"{name}-labels-idx1-ubyte.gz").astype(np.int32)
    return Split(read_idx(RAW / f"{name}-images-idx3-ubyte.gz"), labels)


def _drawings(data: DataConfig) -> tuple[list[Drawing], list[Drawing], list[Drawing]]:
    """Pen drawings to train, to validate and to test with; no writer is in two of them."""
    if data.source == "embedded" or not data.pendigits:
        return [], [], []
    known, unknown = (unpack(read_arrays(RAW / f"pendigits-{part}.npz", "download")) for part in ("train", "test"))
    writers = np.random.default_rng(data.seed).permutation(sorted({drawing.writer for drawing in known}))
    kept = set(writers[: data.validation_writers].tolist())
    train = [drawing for drawing in known if drawing.writer not in kept]
    return train, [drawing for drawing in known if drawing.writer in kept], unknown


def _divide(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Shuffle, and cut off `fraction` of the images: (the part cut off, the rest)."""
    order = np.random.default_rng(seed).permutation(len(split.labels))
    first, rest = np.split(order, [round(fraction * len(order))])
    return Split(split.images[first], split.labels[first]), Split(split.images[rest], split.labels[rest])


def _shorten(split: Split, limit: int | None) -> Split:
    return Split(split.images[:limit], split.labels[:limit])


def _normalized(split: Split) -> Split:
    return Split(normalize_all(split.images), split.labels)


def _sizes(parts: Parts) -> dict[str, int]:
    return {name: len(part.labels) for name, part in parts.items()}


if __name__ == "__main__":
    run_stage(prepare)
