"""Stage 1: download the raw data into data/raw.

INKLING_MIRROR, a directory or URL, is the first source; the public mirrors follow. Every file is checked.
"""

from pipeline.base.files import write_arrays
from pipeline.base.paths import RAW
from pipeline.config.schema import Config
from pipeline.runtime.stage import run_stage
from pipeline.sources.mirrors import fetch
from pipeline.sources.mnist import MNIST, write_embedded
from pipeline.sources.pendigits import pendigits_texts
from pipeline.sources.unipen import pack, parse_unipen


def download(config: Config) -> None:
    """Write the raw data of the configured source.

    Raises:
        DownloadError: no source has a file with the right checksum.
    """
    if config.data.source == "embedded":
        write_embedded(RAW / "embedded.npz")
        return
    for name, (size, sha256) in MNIST.items():
        fetch(f"mnist/{name}", size, sha256, RAW / name)
    if config.data.pendigits:
        for part, text in pendigits_texts().items():
            write_arrays(RAW / f"pendigits-{part}.npz", **pack(parse_unipen(text)))


if __name__ == "__main__":
    run_stage(download)
