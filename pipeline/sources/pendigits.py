"""Pendigits: the pen strokes of 44 writers."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from unlzw3 import unlzw

from pipeline.sources.mirrors import no_source, own_mirror, try_sources

# E. Alpaydin, F. Alimoglu: Pen-Based Recognition of Handwritten Digits, original strokes (UCI 81, CC BY 4.0).
PENDIGITS = {
    "train": ("pendigits-orig.tra", 3641673, "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"),
    "test": ("pendigits-orig.tes", 1661044, "ddb1c19e277a56c7ffe682cc024d6ab73696f9adcc1643ef9ed5aa753007e081"),
}
PENDIGITS_ARCHIVE = "https://archive.ics.uci.edu/static/public/81"
PENDIGITS_ZIP = "pen+based+recognition+of+handwritten+digits.zip"
PENDIGITS_ZIP_SIZE = 1668118
PENDIGITS_ZIP_SHA256 = "1e02bea023613c2b11c9492f6f34caf975420455934f3527d270cee9a1f03b64"


def pendigits_texts() -> dict[str, str]:
    """Return the UNIPEN text of each part, from INKLING_MIRROR or else from the public archive.

    Raises:
        DownloadError: neither has it with the right checksum.
    """
    with TemporaryDirectory() as directory:
        failures: list[str] = []
        files = {part: Path(directory) / part for part in PENDIGITS}
        for part, (name, size, sha256) in PENDIGITS.items():
            failures += try_sources(own_mirror(), f"pendigits/{name}", size, sha256, files[part])
        if all(file.exists() for file in files.values()):
            return {part: file.read_text("latin-1") for part, file in files.items()}
        archive = Path(directory) / "archive.zip"
        zipped = PENDIGITS_ZIP, PENDIGITS_ZIP_SIZE, PENDIGITS_ZIP_SHA256
        failures += try_sources([PENDIGITS_ARCHIVE], *zipped, archive)
        if not archive.exists():
            raise no_source(f"pendigits/{PENDIGITS['train'][0]}", failures)
        with zipfile.ZipFile(archive) as members:
            return {part: unlzw(members.read(f"{name}.Z")).decode("latin-1") for part, (name, *_) in PENDIGITS.items()}
