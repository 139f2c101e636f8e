"""Read pen strokes from UNIPEN text, the format of the original Pendigits files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.base.classes import CLASSES
from pipeline.base.errors import DataError
from serving.drawing.strokes import Strokes

BOX_PX = 500  # side of the box that people wrote in, tablet pixels


@dataclass(frozen=True, eq=False)
class Drawing:
    """A handwritten digit.

    Attributes:
        label: the class.
        writer: number of the writer, unique within a file.
        strokes: strokes in tablet pixels.
    """

    label: int
    writer: int
    strokes: Strokes


@dataclass
class _Segment:
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
    """Parse UNIPEN text, whose y axis points up, as in the Pendigits files (UCI 81, E. Alpaydin and F. Alimoglu).

    ``.SEGMENT DIGIT <number> ? "<label>"`` starts a digit, ``.COMMENT <label> <writer> <number of the writer's digit>``
    names its writer, and coordinates are between ``.PEN_DOWN`` and ``.PEN_UP``. Any line ends and white space are
    accepted.

    Raises:
        DataError: the text is damaged; the message names the line.
    """
    drawings: list[Drawing] = []
    segment: _Segment | None = None
    points: list[tuple[float, float]] | None = None  # of the current stroke
    number = 0
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        keyword = words[0] if words else "."
        if (points is not None and keyword in (".SEGMENT", ".PEN_DOWN")) or (points is None and keyword == ".PEN_UP"):
            raise DataError(f"UNIPEN line {number}: {keyword} while the pen is {'up' if points is None else 'down'}")
        if keyword == ".SEGMENT":
            if segment:
                drawings.append(segment.finish())
            if (label := words[-1].strip('"')) not in CLASSES:
                raise _damaged(number, words, "does not end in the label of a digit")
            segment = _Segment(number, CLASSES.index(label))
        elif keyword == ".COMMENT" and segment and segment.writer is None:
            if len(words) != 4 or not all(re.fullmatch("[0-9]+", word) for word in words[1:]):
                raise _damaged(number, words, "is not a label, a writer and a number")
            if int(words[1]) != segment.label:
                raise _damaged(number, words, f"contradicts the label {segment.label} in .SEGMENT")
            segment.writer = int(words[2])
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
                raise _damaged(number, words, "while the pen is up")
            if len(words) != 2 or not all(re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", word) for word in words):
                raise _damaged(number, words, "is not a pair of coordinates")
            points.append((float(words[0]), BOX_PX - float(words[1])))
    if points is not None:
        raise DataError(f"UNIPEN line {number}: the text ends while the pen is down")
    if segment is None:
        raise DataError(f"UNIPEN line {number}: the text ends without a .SEGMENT")
    return [*drawings, segment.finish()]


def _damaged(number: int, words: Sequence[str], problem: str) -> DataError:
    return DataError(f"UNIPEN line {number}: {' '.join(words)[:60]!r} {problem}")


def pack(drawings: Sequence[Drawing]) -> dict[str, np.ndarray]:
    """Flatten drawings into arrays.

    Returns:
        - ``points``: float32 ``[n_points, 2]``, of all strokes in order.
        - ``stroke_lengths``: int32, number of points of each stroke.
        - ``drawing_lengths``: int32, number of strokes of each drawing.
        - ``labels``, ``writers``: int32, of each drawing.
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
    """Return the drawings that `pack` flattened."""
    strokes = iter(np.split(arrays["points"], np.cumsum(arrays["stroke_lengths"])[:-1]))
    rows = zip(arrays["labels"].tolist(), arrays["writers"].tolist(), arrays["drawing_lengths"].tolist(), strict=True)
    return [Drawing(label, writer, [next(strokes) for _ in range(n_strokes)]) for label, writer, n_strokes in rows]


def load_files(directory: Path) -> list[tuple[Path, Drawing]]:
    """Read all *.unipen files of a directory, sorted by name. Return each drawing with its file.

    Raises:
        DataError: the directory is missing or has no such file, or a file is damaged.
    """
    files = sorted(directory.glob("*.unipen"))
    if not files:
        raise DataError(f"{directory}: {'no *.unipen in it' if directory.is_dir() else 'no such directory'}")
    drawings = []
    for file in files:
        try:
            drawings += [(file, drawing) for drawing in parse_unipen(file.read_text(encoding="ascii"))]
        except (OSError, UnicodeDecodeError, DataError) as error:
            raise DataError(f"{file}: {error}; correct it or remove it from the folder") from error
    return drawings
