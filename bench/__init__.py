"""Measurements. Never asserted: machines differ, and this is where their speed is looked at."""

import sys
from pathlib import Path
from typing import Any

from pipeline.config import Config, params_sha256
from pipeline.data import Split

RESULTS = Path(__file__).parent / "results"


def origin(config: Config) -> dict[str, Any]:
    """What figures come from: the command that runs, and the parameters, named as in the model file's metadata."""
    command = " ".join(["python -m", f"bench.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    return {"command": command, "params_sha256": params_sha256(config)}


def head(split: Split, n_images: int) -> Split:
    """The first images."""
    return Split(split.images[:n_images], split.labels[:n_images])
