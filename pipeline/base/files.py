"""Read and write files atomically, and compute their digests."""

import csv
import hashlib
import io
import json
import os
import shlex
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.errors import DataError, OutputError


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a temporary path, then rename the file to `path`, so that `path` is never incomplete.

    Raises:
        OutputError: the file can't be written, for example because the disk is full.
    """
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")  # savers choose the format by the suffix
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())  # HDF5 writes several lines
        do = "make room and check the permissions, then try again"
        raise OutputError(f"can't write {path} ({reason}): {do}") from error


def write_text(path: Path, text: str) -> None:
    """Write text atomically."""
    write_atomic(path, lambda temporary: temporary.write_text(text))


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """Read a JSON file.

    Raises:
        DataError: the file is missing or damaged; the message names the stage that makes it.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise unreadable(path, error, made_by) from error


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an .npz atomically, uncompressed so that its bytes depend only on the arrays."""
    write_atomic(path, lambda temporary: np.savez(temporary, allow_pickle=False, **arrays))


def write_json(path: Path, values: dict) -> None:
    """Write JSON atomically, with one value per line."""
    write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Write a CSV file atomically."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, table.getvalue())


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of the values of named arrays."""
    return hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()


def read_arrays(path: Path, made_by: str) -> dict[str, np.ndarray]:
    """Read an .npz file.

    Raises:
        DataError: the file is missing or damaged; the message names the stage that makes it.
    """
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file) as stored:
            return dict(stored)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise unreadable(path, error, made_by) from error


def unreadable(path: Path, error: Exception, made_by: str) -> DataError:
    """Return the error for a missing or damaged file, with the command that makes it again."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"there is no {path}: run `dvc repro {made_by}`")
    # DVC trusts the objects in its cache: it would put back a damaged one.
    file = shlex.quote(str(path))
    remove = f'find "$(dvc cache dir)" -type f -exec cmp -s {{}} {file} \\; -delete; rm {file}'
    return DataError(f"{path} can't be read ({error}): run `{remove}; dvc repro {made_by}`")


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
