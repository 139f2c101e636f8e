"""Download files from mirrors and verify their checksums."""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from requests.exceptions import BaseHTTPError  # of urllib3, which is no OSError

from pipeline.base.addresses import without_credentials
from pipeline.base.errors import DownloadError
from pipeline.base.files import write_atomic

log = logging.getLogger(__name__)

PUBLIC_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
TIMEOUT_SECONDS = (5, 20)  # seconds to connect, and between two chunks
SLOWEST_BYTES_PER_SECOND = 20_000
CHUNK_BYTES = 1 << 16


def fetch(name: str, size: int, sha256: str, target: Path) -> None:
    """Download a file from the first source that has it with the right checksum.

    Raises:
        DownloadError: no source has it.
    """
    failures = try_sources([*own_mirror(), *PUBLIC_MIRRORS], name, size, sha256, target)
    if failures:
        raise no_source(name, failures)


def try_sources(sources: Sequence[str], name: str, size: int, sha256: str, target: Path) -> list[str]:
    """Download from the first source that has the file. Return an empty list, or the failures if none has it."""
    failures = []
    for source in sources:
        try:
            _fetch_from(source, name, size, sha256, target)
        except (OSError, ValueError, BaseHTTPError) as error:  # requests' errors are OSErrors
            failure = without_credentials(f"{source}: {_reason(error)}")
            log.warning(failure)
            failures.append(f"  {failure}")
        else:
            log.info("%s from %s", name, without_credentials(source))
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


def _fetch_from(source: str, name: str, size: int, sha256: str, target: Path) -> None:
    if source.startswith(("http://", "https://")):
        content = _get(f"{source.rstrip('/')}/{name}", size)
    else:
        with (Path(source) / name).open("rb") as file:
            content = file.read(size)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"wrong bytes (sha256 {found[:12]}..., not {sha256[:12]}...)")
    write_atomic(target, lambda path: path.write_bytes(content))


def _get(url: str, size: int) -> bytes:
    """Return at most `size` bytes."""
    deadline, content = time.monotonic() + sum(TIMEOUT_SECONDS) + size / SLOWEST_BYTES_PER_SECOND, b""
    # "identity": some servers declare .gz as a content encoding, and requests would decompress it.
    headers = {"Accept-Encoding": "identity"}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        # `read1` returns what has arrived; `iter_content` would wait for a whole chunk, however slow.
        while len(content) < size and (chunk := response.raw.read1(min(CHUNK_BYTES, size - len(content)))):
            content += chunk
            if len(content) < size and time.monotonic() > deadline:
                raise ValueError(f"too slow ({len(content)} of {size} bytes)")
    return content


def _reason(error: Exception) -> str:
    match error:
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "no response in time"
        case requests.HTTPError(response=requests.Response() as response):
            return f"HTTP {response.status_code}"
        case requests.ConnectionError() | BaseHTTPError():
            return "no connection, or it was interrupted"
        case FileNotFoundError():
            return "no such file"
    return str(error)
