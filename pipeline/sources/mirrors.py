"""Download files from mirrors and verify their checksums."""

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from requests.exceptions import BaseHTTPError  # of urllib3, which is no OSError
from tqdm import tqdm

from pipeline.base.addresses import without_credentials
from pipeline.base.errors import DownloadError
from pipeline.base.files import write_atomic, writing
from pipeline.base.paths import PARTIAL

log = logging.getLogger(__name__)

PUBLIC_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
TIMEOUT_SECONDS = (5, 20)  # to connect; between two chunks
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
    """Try each source until one has the file. Return the failures, or an empty list after a success."""
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
    partial = PARTIAL / Path(name).name
    with writing(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
    was_resumed = partial.exists()
    if source.startswith(("http://", "https://")):
        _get(f"{source.rstrip('/')}/{name}", size, partial)
    else:
        with (Path(source) / name).open("rb") as file:
            content = file.read(size)
        with writing(partial):
            partial.write_bytes(content)
    found = hashlib.sha256(partial.read_bytes()).hexdigest()
    if found == sha256:
        write_atomic(target, lambda temporary: shutil.move(partial, temporary))
        return
    partial.unlink()
    if not was_resumed:
        raise ValueError(f"wrong bytes (sha256 {found[:12]}..., not {sha256[:12]}...)")
    _fetch_from(source, name, size, sha256, target)  # the part from an earlier attempt may be damaged


def _get(url: str, size: int, partial: Path) -> None:
    """Download at most `size` bytes into `partial`, resuming an earlier attempt."""
    deadline = time.monotonic() + sum(TIMEOUT_SECONDS) + size / SLOWEST_BYTES_PER_SECOND
    begun = partial.stat().st_size if partial.exists() else 0
    # "identity": some servers declare .gz as a content encoding, and requests would decompress it.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if begun and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # the file is complete; the checksum decides
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            begun = 0
        with (
            writing(partial),
            partial.open("ab" if begun else "wb") as file,
            tqdm(total=size, initial=begun, unit="B", unit_scale=True, desc=partial.name, leave=False) as bar,
        ):
            # `read1` returns what has arrived; `iter_content` would wait for a whole chunk, however slow.
            while begun < size and (chunk := response.raw.read1(min(CHUNK_BYTES, size - begun))):
                file.write(chunk)
                begun += len(chunk)
                if begun < size and time.monotonic() > deadline:
                    raise ValueError(f"too slow ({begun} of {size} bytes)")
                bar.update(len(chunk))


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
