"""Measure the model file on handwriting fonts: which digits it reads, and which letters it refuses.

python -m bench.hands

The fonts are the `@fontsource` packages in package.json, under the SIL Open Font License. They only measure: no model
is trained on them, and they choose no value. They were chosen by their look, before a model had read them: one font of
each hand, a pen of even width, plain digits, capitals and lower-case letters. Formal scripts, ornamental digits and
lettering for headlines are left out. A wrong answer is no reason to remove a font.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from string import ascii_letters, digits
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps
from scipy.ndimage import distance_transform_edt, map_coordinates

from bench import begin
from pipeline.base.errors import DataError, InklingError
from pipeline.base.markdown import interval, percent, table
from pipeline.base.paths import ROOT, Outputs
from pipeline.evaluation.statistics import proportion
from pipeline.nondigits.glyphs import LATIN
from serving.errors import ModelError
from serving.model.decisions import is_refused
from serving.model.predictor import Predictor

SCOPE = "@fontsource/"
# The pipeline's letters, without those that are digits in shape.
CAPITALS = "".join(letter for letter in LATIN[0].kept if letter.isupper())
LOWER_CASE = "".join(letter for letter in LATIN[0].kept if letter.islower())
# Each figure with its characters: the accuracy in any state, the share that is refused, or read as another character.
FIGURES = {
    "digits_accuracy": digits,
    "digits_refused": digits,
    "digits_misread": digits,
    "capitals_refused": CAPITALS,
    "lower_case_refused": LOWER_CASE,
}

SIDE_PX = 96  # the picture
INK_PX = 64  # longest side of the plain character, as drawn
FONT_PX = 400  # size that the fonts are opened with; characters are then reduced
FINER = 2  # pixels of the drawing for each of the picture
N_WARPS = 3
# Ranges of the warps. They are not those of the training, so that a change there does not change the measure.
ROTATION_RAD, SLANT, ASPECT, BEND = 0.15, 0.2, 0.15, 0.02
PENS = ("thin", "as drawn", "thick")
# Line width relative to the longest side: the thickest that leaves all hands legible. A font's thicker line is kept.
THICK = 0.14
# The answer to a picture: warp 0 is the plain character, the digit is the most probable one in any state.
ANSWER = [("font", "U30"), ("character", "U1"), ("warp", int), ("pen", "U8"), ("state", "U11"), ("digit", "U1")]
N_WORST = 8  # length of each list in the document


def font_names() -> list[str]:
    """Return the fonts in package.json."""
    packages = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    return [name.removeprefix(SCOPE) for name in packages if name.startswith(SCOPE)]


def open_font(name: str) -> ImageFont.FreeTypeFont:
    """Open an installed font."""
    file = ROOT / "node_modules" / SCOPE / name / "files" / f"{name}-latin-400-normal.woff"
    if not file.exists():
        raise DataError(f"there is no {file}: run `npm ci`, or `make web`")
    return ImageFont.truetype(file, FONT_PX, layout_engine=ImageFont.Layout.BASIC)


def draw(font: ImageFont.FreeTypeFont, character: str, seed: Sequence[int]) -> np.ndarray:
    """Draw a character, plain and warped, with each pen: uint8 ``[1 + N_WARPS, len(PENS), SIDE_PX, SIDE_PX]``.

    The ink is 0 and the paper 255. The same seed gives the same warps. The font has the size `FONT_PX`.
    """
    large = Image.new("L", (3 * FONT_PX, 3 * FONT_PX))
    ImageDraw.Draw(large).text((FONT_PX, FONT_PX), character, 255, font)
    ink = ImageOps.contain(large.crop(large.getbbox()), (FINER * INK_PX, FINER * INK_PX))
    canvas = Image.new("L", (FINER * SIDE_PX, FINER * SIDE_PX))
    canvas.paste(ink, ((canvas.width - ink.width) // 2, (canvas.height - ink.height) // 2))
    plain, rng = np.asarray(canvas), np.random.default_rng(seed)
    return np.stack([_with_pens(ink >= 128) for ink in (plain, *(_warp(plain, rng) for _ in range(N_WARPS)))])


def _warp(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotate, slant, stretch and bend a drawing about its centre."""
    angle, slant, aspect = rng.uniform(-1, 1, 3) * (ROTATION_RAD, SLANT, ASPECT)
    cos, sin, stretch = np.cos(angle), np.sin(angle), np.exp(aspect / 2)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ [[1, slant], [0, 1]] @ np.diag([stretch, 1 / stretch])
    centre, unit = (len(ink) - 1) / 2, FINER * INK_PX
    places = (np.indices(ink.shape).reshape(2, -1) - centre) / unit
    waves, vectors, phases = rng.normal(0, BEND, (2, 2)), rng.normal(0, 5, (2, 2)), rng.uniform(0, 2 * np.pi, (2, 1))
    sources = matrix @ (places + waves @ np.sin(vectors @ places + phases))
    return map_coordinates(ink, sources * unit + centre, order=1).reshape(ink.shape)


def _with_pens(ink: np.ndarray) -> np.ndarray:
    """Return pictures of a drawing, bool ``[side, side]``, with each pen. The thin one takes a third of the line."""
    inside, outside = distance_transform_edt(ink), distance_transform_edt(~ink)
    half_line = 2 * inside[ink].mean() - 1  # the points of a line are half of this away from its edge on average
    growths = (-half_line / 3, 0, max(0, THICK * FINER * INK_PX / 2 - half_line))
    distance = np.where(ink, inside, 1 - outside)  # at least 1 inside, at most 0 outside
    grown = np.stack([np.clip(distance + growth, 0, 1) for growth in growths])
    shares = grown.reshape(len(PENS), SIDE_PX, FINER, SIDE_PX, FINER).mean(axis=(2, 4))
    return np.rint(255 * (1 - shares)).astype(np.uint8)


def read(predictor: Predictor) -> np.recarray:
    """Return the answers to the pictures of all fonts, as records of `ANSWER`."""
    answers = []
    for name in font_names():
        font = open_font(name)
        for character in digits + CAPITALS + LOWER_CASE:
            pictures = draw(font, character, [*name.encode(), ord(character)])
            verdicts = predictor.verdicts(predictor.run(pictures.reshape(-1, SIDE_PX, SIDE_PX)))
            for (warp, pen), verdict in zip(np.ndindex(pictures.shape[:2]), verdicts, strict=True):
                digit = predictor.card.classes[verdict.digit]
                answers.append((name, character, warp, PENS[pen], verdict.state, digit))
    return np.array(answers, ANSWER).view(np.recarray)


def figures(answers: np.recarray) -> dict[str, Any]:
    """Return the figures of the result of `read`.

    Returns:
        - ``n_each``: pictures of each character.
        - ``ways``, by way of drawing: the result of `shares`.
        - ``fonts``, by name: the same without intervals.
        - ``read_as``: how often a character was read as another, named like "a_as_9", the most frequent first.
    """
    ways = {"all": answers, "plain": answers[answers.warp == 0], "warped": answers[answers.warp > 0]}
    ways |= {pen: answers[answers.pen == pen] for pen in PENS}
    by_font = {name: shares(answers[answers.font == name]) for name in sorted(set(answers.font))}
    misread = answers[~is_refused(answers.state) & (answers.digit != answers.character)]
    pairs = Counter(f"{answer.character}_as_{answer.digit}" for answer in misread)
    return {
        "n_each": int((answers.character == answers.character[0]).sum()),
        "ways": {way: shares(drawn) for way, drawn in ways.items()},
        "fonts": {name: {figure: row[figure] for figure in FIGURES} for name, row in by_font.items()},
        "read_as": dict(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))),
    }


def shares(answers: np.recarray) -> dict[str, float]:
    """Return each figure with its interval, by a bootstrap over the fonts."""
    refused, is_right = is_refused(answers.state), answers.digit == answers.character
    hits = {"accuracy": is_right, "refused": refused, "misread": ~refused & ~is_right}
    found: dict[str, float] = {}
    for name, characters in FIGURES.items():
        chosen = np.isin(answers.character, list(characters))
        found |= proportion(name, hits[name.split("_")[-1]][chosen], answers.font[chosen])
    return found


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    fonts, n_each = results["fonts"], results["n_each"]
    left_out = [letter for letter in ascii_letters if letter not in CAPITALS + LOWER_CASE]
    rows = [(way, *(interval(row, name, 1) for name in FIGURES)) for way, row in results["ways"].items()]
    lists = {
        f"Worst fonts, {name.replace('_', ' ')}": [
            f"{font} ({percent(fonts[font][name], 1)})" for font in sorted(fonts, key=lambda font: fonts[font][name])
        ]
        for name in ("digits_accuracy", "capitals_refused", "lower_case_refused")
    } | {
        f"{label} read as another most": [
            f"{pair.replace('_', ' ')} ({percent(n / n_each, 1)})"
            for pair, n in results["read_as"].items()
            if pair[0] in characters
        ]
        for label, characters in {"Digits": digits, "Letters": ascii_letters}.items()
    }
    return (
        f"## Handwriting fonts\n\n`{results['origin']['command']}`. {n_each} pictures of each digit and letter in "
        f"{len(fonts)} handwriting fonts under the SIL Open Font License: plain and warped, with a thin pen, as drawn, "
        "and with a thick pen. The fonts only measure: no model is trained on them, and they choose no value. "
        f"{len(left_out)} letters are left out because they are digits in shape: {' '.join(left_out)}. Accuracy counts "
        "the most probable digit in any state; a misread digit is read as another and not refused. In brackets 95 % "
        "intervals by a bootstrap over the fonts.\n\n"
        + table(("", *(name.replace("_", " ") for name in FIGURES)), rows)
        + "\n\n"
        + "\n".join(f"- {label}: {', '.join(found[:N_WORST])}." for label, found in lists.items())
    )


def main() -> None:
    """Print the figures, and write bench/results/hands.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    save = begin("hands")
    try:
        answers = read(Predictor.load(Outputs().model))
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
    print(section(save(figures(answers))))


if __name__ == "__main__":
    main()
