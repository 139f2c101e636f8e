"""Things that are not one digit, in families: those that refusal is learnt from, and those it is tested with.

A family that is held out differs in kind or in source from all that are trained, never in its seed alone: another
script, another font, another generator. What could be read as a digit is in no family.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from pipeline.ink.hand import fit, write
from pipeline.ink.warp import StrokeRender, render
from pipeline.nondigits import glyphs, groups, scribbles, textures
from pipeline.nondigits.doodles import DOODLES, SHAPES, Shape
from pipeline.nondigits.glyphs import Alphabet
from pipeline.nondigits.groups import DigitSource
from pipeline.nondigits.signs import draw_sign
from serving.drawing.strokes import Strokes

Drawing = Strokes | textures.Image
Draw = Callable[[np.random.Generator, DigitSource], Drawing]

# Widths of the pen. What is as simple as a digit gets the pens of digits, so that thickness tells nothing; what has
# finer parts gets the pens that it is written with.
AS_DIGITS = StrokeRender().line_fraction
MEDIUM = (0.04, 0.12)
THIN = (0.03, 0.09)
FINE = (0.02, 0.06)


@dataclass(frozen=True)
class Family:
    """One kind of thing that is not a digit.

    Attributes:
        name: unique.
        kind: what a held-out family has in common with trained ones, such as "letters".
        is_held_out: for the test only.
        draw: a new thing: strokes to be rasterised (float32 ``[n_points, 2]`` each, y down, any unit, one point = a
            dot), or for noise and texture the picture itself (uint8 ``[height, width]``, 255 = ink).
        line_width: smallest and largest width of the pen for strokes, relative to the longest side of their box.
        share: of the things to learn from, relative to other families.
    """

    name: str
    kind: str
    is_held_out: bool
    draw: Draw
    line_width: tuple[float, float] = AS_DIGITS
    share: float = 1.0


def _glyph(alphabets: tuple[Alphabet, ...]) -> Draw:
    return lambda rng, _digits: write(glyphs.draw_glyph(alphabets, rng), rng)


def _word(alphabets: tuple[Alphabet, ...]) -> Draw:
    return lambda rng, _digits: write(glyphs.draw_word(alphabets, int(rng.integers(2, 5)), rng), rng)


def _shape(shapes: Mapping[str, Shape]) -> Draw:
    return lambda rng, _digits: write(shapes[str(rng.choice(list(shapes)))](rng), rng)


def _written(draw_strokes: Shape) -> Draw:
    return lambda rng, _digits: write(draw_strokes(rng), rng)


def _fitted(draw_strokes: Shape) -> Draw:
    return lambda rng, _digits: fit(draw_strokes(rng))


def _picture(draw_picture: Callable[[np.random.Generator], textures.Image]) -> Draw:
    return lambda rng, _digits: draw_picture(rng)


_TRAINED = partial(Family, is_held_out=False)
_HELD_OUT = partial(Family, is_held_out=True)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            _TRAINED("latin_letters", "letters", draw=_glyph(glyphs.LATIN), share=4),
            _TRAINED("symbols", "symbols", draw=_glyph(glyphs.SYMBOLS), line_width=MEDIUM, share=2),
            _TRAINED("signs", "symbols", draw=_written(draw_sign), line_width=MEDIUM, share=4),
            _TRAINED("scribbles", "scribbles", draw=_fitted(scribbles.draw_scribble), line_width=MEDIUM),
            _TRAINED("curves", "scribbles", draw=_fitted(scribbles.draw_curves), line_width=MEDIUM),
            _TRAINED("shapes", "shapes", draw=_shape(SHAPES), line_width=MEDIUM),
            _TRAINED("dots_and_dashes", "dots", draw=_fitted(scribbles.draw_dots_and_dashes)),
            _TRAINED("few_digits", "several digits", draw=groups.draw_few, line_width=THIN),
            _TRAINED("struck_digits", "struck digits", draw=groups.draw_struck, line_width=MEDIUM, share=2),
            _TRAINED("cursive_words", "words", draw=_word((glyphs.CURSIVE,)), line_width=FINE),
            _TRAINED("noise", "noise", draw=_picture(textures.draw_noise), share=0.5),
            _TRAINED("textures", "textures", draw=_picture(textures.draw_texture), share=0.5),
            _TRAINED("blank", "blank", draw=_picture(textures.draw_blank), share=0.0),
            _HELD_OUT("greek_letters", "letters", draw=_glyph(glyphs.GREEK)),
            _HELD_OUT("cyrillic_letters", "letters", draw=_glyph(glyphs.CYRILLIC), line_width=MEDIUM),
            _HELD_OUT("kana", "letters", draw=_glyph(glyphs.KANA), line_width=MEDIUM),
            _HELD_OUT("rare_symbols", "symbols", draw=_glyph(glyphs.RARE_SYMBOLS), line_width=MEDIUM),
            _HELD_OUT("hatching", "scribbles", draw=_written(scribbles.draw_hatching), line_width=MEDIUM),
            _HELD_OUT("doodles", "shapes", draw=_shape(DOODLES), line_width=MEDIUM),
            _HELD_OUT("dice", "dots", draw=_fitted(scribbles.draw_dice), line_width=MEDIUM),
            _HELD_OUT("many_digits", "several digits", draw=groups.draw_many, line_width=FINE),
            _HELD_OUT("scratched_digits", "struck digits", draw=groups.draw_scratched, line_width=MEDIUM),
            _HELD_OUT("foreign_words", "words", draw=_word(glyphs.GREEK + glyphs.CYRILLIC[:1]), line_width=FINE),
            _HELD_OUT("salt_and_pepper", "noise", draw=_picture(textures.draw_salt_and_pepper)),
            _HELD_OUT("patterns", "textures", draw=_picture(textures.draw_pattern)),
            _HELD_OUT("paper", "blank", draw=_picture(textures.draw_paper)),
        )
    }
)

TRAINED = tuple(family for family in FAMILIES.values() if not family.is_held_out)


def draw_picture(
    family: Family, rng: np.random.Generator, digits: DigitSource, shape: tuple[int, int]
) -> textures.Image:
    """A picture of a new thing, uint8 ``[height, width]``, 255 = ink.

    Args:
        family: what to draw.
        rng: the same state gives the same picture.
        digits: for the families that are made of digits.
        shape: height and width of the canvas that strokes are drawn on, pixels; noise and texture have their own size.
    """
    thing = family.draw(rng, digits)
    if isinstance(thing, np.ndarray):
        return thing
    return render(thing, rng, replace(StrokeRender(), line_fraction=family.line_width), shape)
