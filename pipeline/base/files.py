"""Read and write files atomically, and compute their digests."""

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.errors import DataError

# What reading a missing, empty, cut or damaged .npz raises.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then give it its name: no partial file ever has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")  # the suffix stays: savers look at it
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text under its final name at once."""
    write_atomic(path, lambda temporary: temporary.write_text(text))


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        DataError: the file is missing or damaged; names the stage that makes it.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise _unread(path, error, made_by) from error


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays under the final name at once; not compressed, so that the bytes depend on the arrays alone."""
    write_atomic(path, lambda temporary: np.savez(temporary, allow_pickle=False, **arrays))


def write_json(path: Path, values: dict) -> None:
    """Write JSON under its final name at once, in a form that diffs well."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Write a CSV under its final name at once."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, table.getvalue())


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the values of named arrays, whatever file they are stored in."""
    return hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()


def read_arrays(path: Path, made_by: str) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote.

    Raises:
        DataError: the file is missing or damaged; names the stage that makes it.
    """
    try:
        # Opened here: on a damaged file, numpy would leave its own open.
        with path.open("rb") as file, np.load(file) as stored:
            return dict(stored)
    except UNREADABLE as error:
        raise _unread(path, error, made_by) from error


def _unread(path: Path, error: Exception, made_by: str) -> DataError:
    what = f"there is no {path}" if isinstance(error, FileNotFoundError) else f"{path} can't be read ({error})"
    return DataError(f"{what}: run `dvc repro {made_by}`")


def file_sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
