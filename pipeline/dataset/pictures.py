"""Strokes -> pictures as the network sees them: drawn with many pens on many canvases, then normalised."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.ink.normalize import normalize_all, normalize_each
from pipeline.ink.skeletons import draw_digit
from pipeline.ink.warp import StrokeRender, StrokeWarp, render, warp
from pipeline.nondigits.families import TRAINED, draw_picture
from pipeline.nondigits.groups import DigitSource
from pipeline.sources.unipen import Drawing
from serving.drawing.strokes import Strokes

BATCH = 250  # pictures on canvases of one size, so that they are normalised at once

# One way to draw one thing: the same state of the generator gives the same strokes.
Draw = Callable[[np.random.Generator], Strokes]


def render_drawings(drawings: Sequence[Drawing], n_each: int, seed: int, is_warped: bool) -> Split:
    """Pictures of drawings, each drawn `n_each` times; warped, as other writers would have it, or as they are."""
    ranges = StrokeWarp()

    def draw(drawing: Drawing) -> Draw:
        return lambda rng: warp(drawing.strokes, rng, ranges) if is_warped else drawing.strokes

    return _render([(drawing.label, draw(drawing)) for drawing in drawings for _ in range(n_each)], seed)


def render_skeletons(n_digits: int, seed: int) -> Split:
    """Pictures of generated digits, each class equally often."""

    def draw(label: int) -> Draw:
        return lambda rng: draw_digit(label, rng)

    return _render([(number % N_CLASSES, draw(number % N_CLASSES)) for number in range(n_digits)], seed)


def render_nondigits(n_things: int, drawings: Sequence[Drawing], seed: int) -> Split:
    """Pictures of things that are no digit, of the families that refusal is learnt from, in their shares.

    Args:
        n_things: pictures.
        drawings: digits for the groups and the struck ones, beside generated ones.
        seed: decides everything.
    """
    rng = np.random.default_rng(seed)
    shares = np.array([family.share for family in TRAINED])
    chosen = rng.choice(len(TRAINED), n_things, p=shares / shares.sum())
    digits = digit_source(drawings)
    batches = [np.zeros((0, 28, 28), np.uint8)]
    for start in range(0, n_things, BATCH):
        shape = _canvas(rng)
        pictures = [draw_picture(TRAINED[k], rng, digits, shape) for k in chosen[start : start + BATCH]]
        batches.append(normalize_each(pictures))
    return Split(np.concatenate(batches), np.full(n_things, NO_DIGIT, np.int32))


def digit_source(drawings: Sequence[Drawing]) -> DigitSource:
    """Single digits to make other things of: the drawings, warped, and generated ones, half and half."""

    def draw(rng: np.random.Generator) -> tuple[int, Strokes]:
        if not drawings or rng.random() < 0.5:
            label = int(rng.integers(N_CLASSES))
            return label, draw_digit(label, rng)
        drawing = drawings[int(rng.integers(len(drawings)))]
        return drawing.label, warp(drawing.strokes, rng, StrokeWarp())

    return draw


def _canvas(rng: np.random.Generator) -> tuple[int, int]:
    height, width = rng.integers(*StrokeRender().canvas_px, size=2, endpoint=True).tolist()
    return height, width


def _render(things: Sequence[tuple[int, Draw]], seed: int) -> Split:
    """Normalised pictures of things with their labels; random pens, canvases and places."""
    rng = np.random.default_rng(seed)
    ranges = StrokeRender()
    batches = [np.zeros((0, 28, 28), np.uint8)]
    for start in range(0, len(things), BATCH):
        shape = _canvas(rng)
        pictures = [render(draw(rng), rng, ranges, shape) for _, draw in things[start : start + BATCH]]
        batches.append(normalize_all(np.stack(pictures)))
    return Split(np.concatenate(batches), np.array([label for label, _ in things], np.int32))
