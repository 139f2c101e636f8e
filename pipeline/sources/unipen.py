"""Pen strokes in UNIPEN text, as the original files of Pendigits hold them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.base.classes import CLASSES
from pipeline.base.errors import DataError
from serving.drawing.strokes import Strokes

BOX_PX = 500  # side of the box that people wrote in, tablet pixels


@dataclass(frozen=True, eq=False)
class Drawing:
    """A digit as somebody wrote it.

    Attributes:
        label: the class.
        writer: number of the writer within the file: 1 of one file is not 1 of another.
        strokes: in tablet pixels.
    """

    label: int
    writer: int
    strokes: Strokes


@dataclass
class _Segment:
    """What has been read of a digit."""

    line: int
    label: int
    writer: int | None = None
    strokes: Strokes = field(default_factory=list)

    def finish(self) -> Drawing:
        if self.writer is None:
            raise DataError(f"UNIPEN line {self.line}: the digit has no .COMMENT with its label, writer and number")
        if not self.strokes:
            raise DataError(f"UNIPEN line {self.line}: the digit has no strokes")
        return Drawing(self.label, self.writer, self.strokes)


def parse_unipen(text: str) -> list[Drawing]:
    """Read the original files of Pendigits (UCI 81, E. Alpaydin and F. Alimoglu): UNIPEN text, y up.

    ``.SEGMENT DIGIT <number> ? "<label>"`` opens a digit, ``.COMMENT <label> <writer> <number of the writer's digit>``
    names who wrote it, and pairs of coordinates stand between ``.PEN_DOWN`` and ``.PEN_UP``. Line ends and white
    space may be any.

    Raises:
        DataError: the text is damaged; it names the line.
    """
    drawings: list[Drawing] = []
    segment: _Segment | None = None
    points: list[tuple[float, float]] | None = None  # of the stroke that is being written
    number = 0
    for number, words in _lines(text):
        keyword = words[0]
        if (points is not None and keyword in (".SEGMENT", ".PEN_DOWN")) or (points is None and keyword == ".PEN_UP"):
            raise DataError(f"UNIPEN line {number}: {keyword} while the pen is {'up' if points is None else 'down'}")
        if keyword == ".SEGMENT":
            if segment:
                drawings.append(segment.finish())
            segment = _Segment(number, _label(number, words))
        elif keyword == ".COMMENT" and segment and segment.writer is None:
            segment.writer = _writer(number, words, segment.label)
        elif keyword == ".PEN_DOWN":
            if segment is None:
                raise DataError(f"UNIPEN line {number}: .PEN_DOWN before the first .SEGMENT")
            points = []
        elif keyword == ".PEN_UP" and segment:
            if points:
                segment.strokes.append(np.array(points, np.float32))
            points = None
        elif not keyword.startswith("."):
            if points is None:
                raise DataError(f"UNIPEN line {number}: {' '.join(words)[:60]!r} while the pen is up")
            points.append(_point(number, words))
    if points is not None:
        raise DataError(f"UNIPEN line {number}: the text ends while the pen is down")
    if segment is None:
        raise DataError(f"UNIPEN line {number}: the text ends without a .SEGMENT")
    return [*drawings, segment.finish()]


def pack(drawings: Sequence[Drawing]) -> dict[str, np.ndarray]:
    """Drawings as flat arrays, whose bytes depend on what was written alone.

    Returns:
        ``points`` float32 ``[n_points, 2]`` of all strokes in order; ``stroke_lengths`` int32, points of each stroke;
        ``drawing_lengths`` int32, strokes of each drawing; ``labels`` and ``writers`` int32 of each drawing.
    """
    strokes = [stroke for drawing in drawings for stroke in drawing.strokes]
    return {
        "points": np.concatenate([np.zeros((0, 2), np.float32), *strokes]),
        "stroke_lengths": np.array([len(stroke) for stroke in strokes], np.int32),
        "drawing_lengths": np.array([len(drawing.strokes) for drawing in drawings], np.int32),
        "labels": np.array([drawing.label for drawing in drawings], np.int32),
        "writers": np.array([drawing.writer for drawing in drawings], np.int32),
    }


def unpack(arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """What `pack` packed."""
    strokes = iter(np.split(arrays["points"], np.cumsum(arrays["stroke_lengths"])[:-1]))
    rows = zip(arrays["labels"].tolist(), arrays["writers"].tolist(), arrays["drawing_lengths"].tolist(), strict=True)
    return [Drawing(label, writer, [next(strokes) for _ in range(n_strokes)]) for label, writer, n_strokes in rows]


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Numbers and words of the lines that are not empty."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words:
            yield number, words


def _label(number: int, words: list[str]) -> int:
    label = words[-1].strip('"')
    if label not in CLASSES:
        raise DataError(f"UNIPEN line {number}: {' '.join(words)[:60]!r} does not end in a digit's label")
    return CLASSES.index(label)


def _writer(number: int, words: list[str], label: int) -> int:
    if len(words) != 4 or not all(re.fullmatch("[0-9]+", word) for word in words[1:]):
        raise DataError(f"UNIPEN line {number}: {' '.join(words)[:60]!r} is not a label, a writer and a number")
    if int(words[1]) != label:
        raise DataError(f"UNIPEN line {number}: .COMMENT says {words[1]}, .SEGMENT said {label}")
    return int(words[2])


def _point(number: int, words: list[str]) -> tuple[float, float]:
    if len(words) != 2 or not all(re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", word) for word in words):
        raise DataError(f"UNIPEN line {number}: {' '.join(words)[:60]!r} is not a pair of coordinates")
    return float(words[0]), BOX_PX - float(words[1])


PATTERN = "*.unipen"


def load_drawings(directory: Path) -> list[Drawing]:
    """The drawings of all files, in the order of the files' names.

    Raises:
        DataError: there is no such directory, no file in it, or one that is damaged; names it.
    """
    files = sorted(directory.glob(PATTERN))
    if not files:
        found = f"no {PATTERN} in it" if directory.is_dir() else "no such directory"
        raise DataError(f"data.extra_strokes={directory}: {found}")
    return [drawing for file in files for drawing in _read(file)]


def _read(file: Path) -> list[Drawing]:
    try:
        return parse_unipen(file.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, DataError) as error:
        raise DataError(f"{file}: {error}; mend it or take it out of data.extra_strokes") from error
