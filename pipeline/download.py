"""Stage 1: the raw data into data/raw.

MNIST comes byte for byte from the first source that has it: INKLING_MIRROR (a directory or URL that holds
mnist/<file>), then the public mirrors. So does Pendigits, whose text is kept as what it says: its sources differ in
packing. The embedded data set comes with a package. Nothing is used whose checksum is wrong.
"""

from pipeline.base.paths import RAW
from pipeline.config.schema import Config
from pipeline.runtime.stage import run_stage
from pipeline.sources.mirrors import fetch
from pipeline.sources.mnist import MNIST_SHA256, write_embedded
from pipeline.sources.pendigits import pendigits_texts, write_pendigits


def download(config: Config) -> None:
    """Bring the raw data of the configured source into data/raw.

    Raises:
        DownloadError: no source has a file with the right bytes; says what was tried and what to do.
    """
    if config.data.source == "embedded":
        write_embedded(RAW / "embedded.npz")
        return
    for name, sha256 in MNIST_SHA256.items():
        fetch(f"mnist/{name}", sha256, RAW / name)
    if config.data.pendigits:
        for part, text in pendigits_texts().items():
            write_pendigits(part, text)


if __name__ == "__main__":
    run_stage(download)
