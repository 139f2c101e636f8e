# ruff: noqa: RUF001 (letters of other scripts look like Latin ones)
"""Letters and symbols as pen strokes, from the Hershey fonts, without those shaped like a digit.

The glyphs were digitised by A. V. Hershey at the U.S. National Bureau of Standards ("A contribution to computer
typesetting techniques", NBS Special Publication 424, 1976) and are free to use with this acknowledgement. The PyPI
package Hershey-Fonts contains them and is under the MIT License. Only this module imports it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from string import ascii_letters, ascii_lowercase
from typing import Any

import numpy as np
from HersheyFonts import HersheyFonts

from pipeline.ink.geometry import transform
from serving.drawing.strokes import Strokes


@dataclass(frozen=True)
class Alphabet:
    """The glyphs of one font. Some of them are never drawn.

    Attributes:
        font: its name in the package.
        keys: the ASCII characters under which the font keeps the glyphs.
        letters: the letter that each of `keys` stands for.
        digit_shaped: a digit -> the letters that look like this digit when drawn by hand.
        repeated: letters that another family draws. In a held-out alphabet: all letters that resemble a trained glyph.
    """

    font: str
    keys: str
    letters: str
    digit_shaped: dict[str, str] = field(default_factory=dict)
    repeated: str = ""

    @property
    def kept(self) -> str:
        """Letters that are drawn."""
        left_out = "".join(self.digit_shaped.values()) + self.repeated
        return "".join(letter for letter in self.letters if letter not in left_out)


_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_LATIN = {"0": "OoQ", "1": "Il", "2": "Zz", "4": "y", "5": "Ss", "6": "Gb", "8": "B", "9": "gq"}
# Loops and flourishes bring more letters near a digit: D is a slashed 0, L and Q are looped 2s, Z is a 3, Y an open 4,
# T a 7 and F a crossed one, f and S have the two loops of an 8, I and J are 9s.
_LATIN_SCRIPT = {
    "0": "OoD",
    "1": "l",
    "2": "LQ",
    "3": "Zz",
    "4": "Yy",
    "5": "s",
    "6": "Gb",
    "7": "FT",
    "8": "BSf",
    "9": "gqIJ",
}

# Round brackets, slashes and quotes are a 1 that leans or bends, a closing square bracket one with flag and foot, a
# caret one with a long flag; a curly bracket is a 3, a dollar sign in thick ink a 5 or 8. A lone dot and a dash are in
# another family.
SYMBOLS = (Alphabet("futural", _PUNCTUATION, _PUNCTUATION, {"1": "'()/\\|,`]^", "3": "{}", "8": "$"}, repeated="._"),)

LATIN = (
    Alphabet("futural", ascii_letters, ascii_letters, _LATIN),
    Alphabet("scripts", ascii_letters, ascii_letters, _LATIN_SCRIPT),
    Alphabet("timesi", ascii_letters, ascii_letters, _LATIN),
    Alphabet("rowmant", ascii_letters, ascii_letters, _LATIN),
)

CURSIVE = Alphabet("scripts", ascii_lowercase, ascii_lowercase)

GREEK = (
    Alphabet(
        "greeks",
        "ABCDEFGHIJKLMNOPQRSTUVWXabcdefghijklmnopqrstuvwx",
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηϑικλμνξοπρστυφχψω",
        # Theta is a 0 with a dash, phi one with a slash, iota a 1 with a foot, zeta a 3 or 5 in one go, gamma an open
        # 4, sigma a 6 or an open 0.
        {"0": "ΟΘΦο", "1": "Ιι", "2": "Ζ", "3": "ζ", "4": "γ", "6": "σ", "8": "Ββδ", "9": "ϑ"},
        repeated="ΑΔΕΗΚΛΜΝΡΤΧκνρτυχω",
    ),
)

CYRILLIC = (
    Alphabet(
        "cyrilc_1",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩабвгдежзийклмнопрстуфхцчшщ",
        {"0": "ОоФф", "1": "Лл", "3": "Зз", "4": "Чч", "6": "Бб", "8": "Вв"},
        repeated="АЕКМНРСТУХаегкмнопрстух",
    ),
    # Six letters that the other font lacks. Three of them look like a digit and are left out.
    Alphabet("cyrillic", "C$U]^_", "ЭЫЮЪЯЬ", {"3": "Э", "6": "ЪЬ"}),
)

KANA = (
    Alphabet(
        "japanese",
        "ABDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdfhijklmnoqrs",
        "あいえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわゐゑをん",
        {"0": "の", "1": "しり", "2": "そこ", "3": "ろるつ", "5": "ちら", "7": "て", "6": "と"},
        repeated="いくへん",
    ),
)

RARE_SYMBOLS = (
    Alphabet(
        "astrology",
        "!#$%&'*+-/:;<=>?@[]^_`{|}~",
        "♓☉☿♀⊕♂♃♄♅♆♇☽☄*☊☋♈♉♊♋♌♍♏♐♑♒",
        {"0": "☉", "4": "♃", "5": "♄", "8": "♉"},
        repeated="*",
    ),
    Alphabet(
        "mathlow",
        "!\"#&':;?@^_bdefghimnvwxyz|~",
        "±∓×≦≧∏∑≠≡∝∞√⊂∪⊃∩∈→∂∇∃ℵ÷∥⊥∠∴",
        {"1": "⊥", "3": "∃⊃", "6": "∂", "8": "∞"},
        repeated="×⊂∪→∇∥∴",
    ),
    Alphabet(
        "music", "'();>?-.=", "♯♮♭𝄞║𝄡𝄾𝄽𝄢", {"3": "𝄽", "4": "♮", "6": "♭", "7": "𝄾", "8": "𝄞", "9": "𝄢"}, repeated="♯"
    ),
    Alphabet("symbolic", "FVXZ[^_`abcdfghijkmnop", "⏚⚐⚓⚒♜✚☪✡♗☂♣⚘✺◇☘§†‡♠♡♢♧", {"8": "§"}, repeated="✡◇♡♢"),
)


def draw_glyph(alphabets: Iterable[Alphabet], rng: np.random.Generator) -> Strokes:
    """Draw a glyph, all equally likely, in the unit of its font; y down."""
    choices = [(alphabet, letter) for alphabet in alphabets for letter in alphabet.kept]
    alphabet, letter = choices[int(rng.integers(len(choices)))]
    return glyph(alphabet, letter)


def draw_word(alphabets: tuple[Alphabet, ...], rng: np.random.Generator) -> Strokes:
    """Draw two to four letters of one alphabet side by side. The font's spacing makes script letters join."""
    n_letters = int(rng.integers(2, 5))
    alphabet = alphabets[int(rng.integers(len(alphabets)))]
    word: Strokes = []
    place = 0.0
    for letter in rng.choice(list(alphabet.kept), n_letters):
        left = _hershey(alphabet, letter).left_offset
        word += transform(glyph(alphabet, letter), 1.0, (place - left, 0.0))
        place += _hershey(alphabet, letter).char_width
    return word


def glyph(alphabet: Alphabet, letter: str) -> Strokes:
    """Return the strokes of a letter in the unit of the font; y down."""
    return [np.array(line, np.float32) for line in _hershey(alphabet, letter).strokes if line]


def _hershey(alphabet: Alphabet, letter: str) -> Any:
    return _font(alphabet.font)[alphabet.keys[alphabet.letters.index(letter)]]


@cache
def _font(name: str) -> dict:
    fonts = HersheyFonts()
    fonts.load_default_font(name)
    return fonts.all_glyphs
