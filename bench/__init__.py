"""Measurements. Never asserted: machines differ, and this is where their speed is looked at."""

import sys
from pathlib import Path
from typing import Any

from pipeline.config import Config, params_sha256
from pipeline.data import Split

RESULTS = Path(__file__).parent / "results"


def origin(config: Config) -> dict[str, Any]:
    """What figures come from: the command that runs, and the parameters, named as in the model file's metadata."""
    file = Path(sys.argv[0])
    name = file.parent.name if file.stem == "__main__" else file.stem
    command = " ".join(["python -m", f"bench.{name}", *sys.argv[1:]])
    return {"command": command, "params_sha256": params_sha256(config)}


def head(split: Split, n_images: int) -> Split:
    """The first images."""
    return Split(split.images[:n_images], split.labels[:n_images])
