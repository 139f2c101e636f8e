"""Families of things that are not one digit. Some train refusal; the others are held out to test it.

A held-out family differs from all trained ones in kind or source, not only in its seed: another script, font or
generator. No family contains anything that could be read as a digit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.config.schema import InkConfig
from pipeline.ink.warp import INK, render, warp
from pipeline.nondigits import glyphs, groups, scribbles, textures
from pipeline.nondigits.doodles import DOODLES, SHAPES, draw_rules, draw_shape
from pipeline.nondigits.groups import DigitSource
from pipeline.nondigits.letters import draw_letter
from pipeline.nondigits.signs import draw_sign
from serving.drawing.strokes import Strokes

Draw = Callable[[np.random.Generator, DigitSource], Strokes | textures.Image]

# Ranges of the pen's width. Things as simple as a digit get the pens of the digits, so that thickness does not separate
# them; things with finer parts get thinner pens.
MEDIUM = (0.04, 0.12)
THIN = (0.03, 0.09)
FINE = (0.02, 0.06)


@dataclass(frozen=True)
class Family:
    """A family of things that are not a digit.

    Attributes:
        name: unique.
        kind: a group of similar families, trained and held-out, such as "letters".
        is_held_out: whether the family is used only for the test.
        draw: function that makes a new thing. It returns strokes, float32 ``[n_points, 2]`` each, y down, any unit, one
            point = a dot. For noise and texture it returns a picture, uint8 ``[height, width]``, 255 = ink.
        line_width: smallest and largest pen width, relative to the longest side of the strokes; None: as of digits.
        share: frequency in the training non-digits, relative to other families.
    """

    name: str
    kind: str
    is_held_out: bool
    draw: Draw
    line_width: tuple[float, float] | None = None
    share: float = 1.0


def _alone(draw: Callable[..., Strokes | textures.Image], *arguments: object) -> Draw:
    return lambda rng, _digits: draw(*arguments, rng)


_TRAINED = partial(Family, is_held_out=False)
_HELD_OUT = partial(Family, is_held_out=True)

FAMILIES = {
    family.name: family
    for family in (
        _TRAINED("hand_letters", "letters", draw=_alone(draw_letter), share=6),
        _TRAINED("latin_letters", "letters", draw=_alone(glyphs.draw_glyph, glyphs.LATIN), share=2),
        _TRAINED("symbols", "symbols", draw=_alone(glyphs.draw_glyph, glyphs.SYMBOLS), line_width=MEDIUM, share=1.5),
        _TRAINED("signs", "symbols", draw=_alone(draw_sign), line_width=MEDIUM, share=3),
        _TRAINED("scribbles", "scribbles", draw=_alone(scribbles.draw_scribble), line_width=MEDIUM),
        _TRAINED("curves", "scribbles", draw=_alone(scribbles.draw_curves), line_width=MEDIUM),
        _TRAINED("shapes", "shapes", draw=_alone(draw_shape, SHAPES), line_width=MEDIUM),
        _TRAINED("rules_and_frames", "shapes", draw=_alone(draw_rules), line_width=FINE, share=0.5),
        _TRAINED("dots_and_dashes", "dots", draw=_alone(scribbles.draw_dots_and_dashes)),
        _TRAINED("few_digits", "several digits", draw=groups.draw_few, line_width=THIN),
        _TRAINED("pairs", "several digits", draw=groups.draw_pair, line_width=MEDIUM, share=2.5),
        _TRAINED("one_and_half", "several digits", draw=groups.draw_one_and_half, line_width=MEDIUM),
        _TRAINED("pieces", "pieces", draw=groups.draw_piece, share=1.5),
        _TRAINED("struck_digits", "struck digits", draw=groups.draw_struck, line_width=MEDIUM, share=2),
        _TRAINED("cursive_words", "words", draw=_alone(glyphs.draw_word, (glyphs.CURSIVE,)), line_width=FINE),
        _TRAINED("noise", "noise", draw=_alone(textures.draw_noise), share=0.5),
        _TRAINED("textures", "textures", draw=_alone(textures.draw_texture), share=0.5),
        _TRAINED("blank", "blank", draw=_alone(textures.draw_blank), share=0.0),
        _HELD_OUT("greek_letters", "letters", draw=_alone(glyphs.draw_glyph, glyphs.GREEK)),
        _HELD_OUT("cyrillic_letters", "letters", draw=_alone(glyphs.draw_glyph, glyphs.CYRILLIC), line_width=MEDIUM),
        _HELD_OUT("kana", "letters", draw=_alone(glyphs.draw_glyph, glyphs.KANA), line_width=MEDIUM),
        _HELD_OUT("rare_symbols", "symbols", draw=_alone(glyphs.draw_glyph, glyphs.RARE_SYMBOLS), line_width=MEDIUM),
        _HELD_OUT("hatching", "scribbles", draw=_alone(scribbles.draw_hatching), line_width=MEDIUM),
        _HELD_OUT("doodles", "shapes", draw=_alone(draw_shape, DOODLES), line_width=MEDIUM),
        _HELD_OUT("dice", "dots", draw=_alone(scribbles.draw_dice), line_width=MEDIUM),
        _HELD_OUT("many_digits", "several digits", draw=groups.draw_many, line_width=FINE),
        _HELD_OUT("cut_numbers", "pieces", draw=groups.draw_cut_number, line_width=MEDIUM),
        _HELD_OUT("scratched_digits", "struck digits", draw=groups.draw_scratched, line_width=MEDIUM),
        _HELD_OUT(
            "foreign_words",
            "words",
            draw=_alone(glyphs.draw_word, glyphs.GREEK + glyphs.CYRILLIC[:1]),
            line_width=FINE,
        ),
        _HELD_OUT("salt_and_pepper", "noise", draw=_alone(textures.draw_salt_and_pepper)),
        _HELD_OUT("patterns", "textures", draw=_alone(textures.draw_pattern)),
        _HELD_OUT("paper", "blank", draw=_alone(textures.draw_paper)),
    )
}

TRAINED = tuple(family for family in FAMILIES.values() if not family.is_held_out)


def draw_picture(
    family: Family, rng: np.random.Generator, digits: DigitSource, shape: tuple[int, int], ink: InkConfig = INK
) -> textures.Image:
    """Draw a new thing: uint8 ``[height, width]``, 255 = ink.

    Args:
        family: the family.
        rng: the same state gives the same picture.
        digits: source of digits, for the families that are made of digits.
        shape: height and width of the canvas for strokes, pixels; noise and texture choose their own size.
        ink: ranges of the warp and the pen.
    """
    thing = family.draw(rng, digits)
    return thing if isinstance(thing, np.ndarray) else render(warp(thing, rng, ink), rng, shape, ink, family.line_width)
