"""Download files from mirrors and verify their checksums."""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import requests

from pipeline.base.errors import DownloadError
from pipeline.base.files import file_sha256, write_atomic

log = logging.getLogger(__name__)

PUBLIC_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
TIMEOUT_SECONDS = (5, 20)  # seconds to connect, and between two chunks
CHUNK_BYTES = 1 << 16


def fetch(name: str, sha256: str, target: Path) -> None:
    """Download a file from the first source that has it with the right checksum.

    Raises:
        DownloadError: no source has it.
    """
    failures = try_sources([*own_mirror(), *PUBLIC_MIRRORS], name, sha256, target)
    if failures:
        raise no_source(name, failures)


def try_sources(sources: Sequence[str], name: str, sha256: str, target: Path) -> list[str]:
    """Download from the first source that has the file. Return an empty list, or the failures if none has it."""
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
    """Return the mirror in INKLING_MIRROR, if it is set."""
    return [own] if (own := os.environ.get("INKLING_MIRROR")) else []


def no_source(name: str, failures: list[str]) -> DownloadError:
    """Return the error that lists the failures and the remedies."""
    return DownloadError(
        f"no source has {name}. Tried:\n" + "\n".join(failures) + "\nDo one of these:\n"
        "  set INKLING_MIRROR to a directory or URL that has the file under this name;\n"
        "  run `make demo`: the whole pipeline on data that needs no network;\n"
        "  set data.source=embedded to use that data in this pipeline: `dvc exp run -S data.source=embedded`."
    )


def _fetch_from(source: str, name: str, sha256: str, target: Path) -> None:
    def write_checked(path: Path) -> None:
        if source.startswith(("http://", "https://")):
            _get(f"{source.rstrip('/')}/{name}", path)
        else:
            shutil.copyfile(Path(source) / name, path)
        found = file_sha256(path)
        if found != sha256:
            raise ValueError(f"wrong bytes (sha256 {found[:12]}..., not {sha256[:12]}...)")

    write_atomic(target, write_checked)


def _get(url: str, path: Path) -> None:
    # "identity": some servers declare .gz as a content encoding, and requests would decompress it.
    headers = {"Accept-Encoding": "identity"}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response, path.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_content(CHUNK_BYTES):
            file.write(chunk)


def _reason(error: Exception) -> str:
    match error:
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "no response in time"
        case requests.HTTPError(response=requests.Response() as response):
            return f"HTTP {response.status_code}"
        case requests.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            return "no connection, or it was interrupted"
        case FileNotFoundError():
            return "no such file"
    return str(error)
