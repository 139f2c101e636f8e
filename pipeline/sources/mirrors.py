"""Checked downloads: a file comes from the first source that has it with the right checksum."""

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import requests
from tqdm import tqdm

from pipeline.base.errors import DownloadError
from pipeline.base.paths import PARTIAL

log = logging.getLogger(__name__)

PUBLIC_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
TIMEOUT_SECONDS = (5, 20)  # to connect; between two pieces of an answer
CHUNK_BYTES = 1 << 16


def fetch(name: str, sha256: str, target: Path) -> None:
    """Bring one file from the first source that has it with the right checksum.

    Raises:
        DownloadError: none has.
    """
    failures = ask([*own_mirror(), *PUBLIC_MIRRORS], name, sha256, target)
    if failures:
        raise no_source(name, failures)


def ask(sources: Sequence[str], name: str, sha256: str, target: Path) -> list[str]:
    """Ask one source after the other; what went wrong with each, nothing if one had the file."""
    failures = []
    for source in sources:
        try:
            _fetch_from(source, name, sha256, target)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            log.warning("%s: %s", source, _reason(error))
            failures.append(f"  {source}: {_reason(error)}")
        else:
            log.info("%s from %s", name, source)
            return []
    return failures


def own_mirror() -> list[str]:
    """Return the mirror of INKLING_MIRROR, if it is set."""
    own = os.environ.get("INKLING_MIRROR")
    return [own] if own else []


def no_source(name: str, failures: list[str]) -> DownloadError:
    """Return the error that lists what was tried, and what to do."""
    return DownloadError(
        f"no source has {name}. Tried:\n" + "\n".join(failures) + "\nWays out:\n"
        "  set INKLING_MIRROR to a directory or URL that holds it under this name;\n"
        "  run `make demo`: the whole pipeline on data that needs no network;\n"
        "  set data.source=embedded, for the same data in this pipeline: `dvc exp run -S data.source=embedded`."
    )


def _fetch_from(source: str, name: str, sha256: str, target: Path) -> None:
    partial = PARTIAL / Path(name).name
    partial.parent.mkdir(parents=True, exist_ok=True)
    was_begun = partial.exists()
    if source.startswith(("http://", "https://")):
        _get(f"{source.rstrip('/')}/{name}", partial)
    else:
        shutil.copyfile(Path(source) / name, partial)
    found = hashlib.sha256(partial.read_bytes()).hexdigest()
    if found == sha256:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(partial, target)
        return
    size = partial.stat().st_size
    partial.unlink()
    if was_begun:  # what lay there from before may have been the damaged part
        _fetch_from(source, name, sha256, target)
        return
    raise ValueError(f"wrong bytes ({size} of them, sha256 {found[:12]}..., not {sha256[:12]}...)")


def _get(url: str, partial: Path) -> None:
    """Download into `partial`, going on where an earlier attempt stopped."""
    begun = partial.stat().st_size if partial.exists() else 0
    # "identity": a server that calls the .gz a content encoding would have it unpacked on the way.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if begun and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it is all there; the checksum decides
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            begun = 0
        length = answer.headers.get("Content-Length")
        total = begun + int(length) if length else None
        with (
            partial.open("ab" if begun else "wb") as file,
            tqdm(total=total, initial=begun, unit="B", unit_scale=True, desc=partial.name, leave=False) as bar,
        ):
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))


def _reason(error: Exception) -> str:
    match error:
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "no answer in time"
        case requests.HTTPError(response=requests.Response() as response):
            return f"HTTP {response.status_code}"
        case requests.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            return "no connection, or it broke off"
        case FileNotFoundError():
            return "no such file"
    return str(error)
