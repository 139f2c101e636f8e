"""Pendigits: the pen strokes of 44 writers, from an own mirror or the public archive."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from unlzw3 import unlzw

from pipeline.base.errors import DownloadError
from pipeline.base.files import digest_arrays, write_arrays
from pipeline.base.paths import RAW
from pipeline.sources.mirrors import ask, no_source, own_mirror
from pipeline.sources.unipen import pack, parse_unipen

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


def pendigits_texts() -> dict[str, str]:
    """The UNIPEN text of each part: as files from the own mirror, else out of the public archive."""
    with TemporaryDirectory() as directory:
        failures = []
        for own in own_mirror():
            texts = {}
            for part, (name, sha256, _) in PENDIGITS.items():
                target = Path(directory) / part
                failures += ask([own], f"pendigits/{name}", sha256, target)
                texts[part] = target
            if not failures:
                return {part: file.read_text("latin-1") for part, file in texts.items()}
        archive = Path(directory) / "archive.zip"
        failures += ask([PENDIGITS_ARCHIVE], PENDIGITS_ZIP, PENDIGITS_ZIP_SHA256, archive)
        if not archive.exists():
            raise no_source(f"pendigits/{next(iter(PENDIGITS.values()))[0]}", failures)
        with zipfile.ZipFile(archive) as members:
            return {part: unlzw(members.read(f"{name}.Z")).decode("latin-1") for part, (name, *_) in PENDIGITS.items()}


def write_pendigits(part: str, text: str) -> None:
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
