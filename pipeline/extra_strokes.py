"""Further drawings to train on, from a directory of UNIPEN files: such as the corrections that a service collects."""

from pathlib import Path

from pipeline.errors import DataError
from pipeline.unipen import Drawing, parse_unipen

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
