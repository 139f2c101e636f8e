"""Draw strokes with many pens on many canvases, and normalise the pictures for the network."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.config.schema import InkConfig
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.ink.normalize import normalize_each
from pipeline.ink.skeletons import draw_digit
from pipeline.ink.warp import CANVAS_PX, INK, render, warp
from pipeline.nondigits.families import TRAINED, draw_picture
from pipeline.nondigits.groups import DigitSource
from pipeline.sources.unipen import Drawing
from serving.drawing.strokes import Strokes

BATCH = 250  # pictures on canvases of one size, so that they are normalised at once


def render_labelled(
    things: Sequence[tuple[int, Callable[[np.random.Generator], Strokes]]], seed: int, ink: InkConfig = INK
) -> Split:
    """Draw strokes with random pens, canvases and places.

    Args:
        things: the label of each picture, and the function that makes its strokes.
        seed: the same seed gives the same pictures.
        ink: ranges of the pen.
    """
    rng = np.random.default_rng(seed)
    images = _draw_batches(things, rng, lambda thing, shape: render(thing[1](rng), rng, shape, ink))
    return Split(images, np.array([label for label, _ in things], np.int32))


def render_drawings(
    drawings: Sequence[Drawing], n_each: int, seed: int, is_warped: bool, ink: InkConfig = INK
) -> Split:
    """Draw each drawing `n_each` times, warped or unchanged."""

    def strokes(drawing: Drawing, rng: np.random.Generator) -> Strokes:
        return warp(drawing.strokes, rng, ink) if is_warped else drawing.strokes

    return render_labelled(
        [(drawing.label, partial(strokes, drawing)) for drawing in drawings for _ in range(n_each)], seed, ink
    )


def render_skeletons(n_digits: int, seed: int, ink: InkConfig = INK) -> Split:
    """Draw generated digits, each class equally often."""
    labels = [number % N_CLASSES for number in range(n_digits)]
    return render_labelled([(label, partial(draw_digit, label, ink=ink)) for label in labels], seed, ink)


def render_nondigits(n_things: int, drawings: Sequence[Drawing], seed: int, ink: InkConfig = INK) -> Split:
    """Draw non-digits of the trained families, in proportion to their shares.

    Args:
        n_things: number of pictures.
        drawings: digits to use, besides generated ones, in the groups of digits and the struck-out digits.
        seed: the same seed gives the same pictures.
        ink: ranges of the warps and the pens.
    """
    rng = np.random.default_rng(seed)
    shares = np.array([family.share for family in TRAINED])
    chosen = rng.choice(len(TRAINED), n_things, p=shares / shares.sum())
    digits = digit_source(drawings, ink)
    images = _draw_batches(chosen, rng, lambda number, shape: draw_picture(TRAINED[number], rng, digits, shape, ink))
    return Split(images, np.full(n_things, NO_DIGIT, np.int32))


def digit_source(drawings: Sequence[Drawing], ink: InkConfig = INK) -> DigitSource:
    """Return a function that makes one digit: a warped drawing or a generated digit, with equal probability."""
    by_label = [[drawing for drawing in drawings if drawing.label == label] for label in range(N_CLASSES)]

    def draw(rng: np.random.Generator, label: int | None = None) -> tuple[int, Strokes]:
        label = int(rng.integers(N_CLASSES)) if label is None else label
        if not (known := by_label[label]) or rng.random() < 0.5:
            return label, draw_digit(label, rng, ink=ink)
        return label, warp(known[int(rng.integers(len(known)))].strokes, rng, ink)

    return draw


def _draw_batches(
    things: Sequence | np.ndarray, rng: np.random.Generator, draw: Callable[[Any, tuple[int, int]], np.ndarray]
) -> np.ndarray:
    """Draw things, each batch on canvases of another size, and normalise the pictures: uint8 ``[n, 28, 28]``."""
    batches = [np.zeros((0, 28, 28), np.uint8)]
    for start in range(0, len(things), BATCH):
        height, width = rng.integers(*CANVAS_PX, size=2, endpoint=True).tolist()
        batches.append(normalize_each([draw(thing, (height, width)) for thing in things[start : start + BATCH]]))
    return np.concatenate(batches)
