"""Measure the installed service: the size of wheel and environment, and the start time.

python -m bench.install [--rounds 10]

The environment contains requirements/serving.txt and the wheel, compiled to bytecode, without pip. The start time ends
with the first correct answer. For comparison, each round also times an interpreter that only imports onnxruntime.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import begin
from bench.jobs import raw_tensor
from bench.rounds import ratio, spread
from bench.server import ServerError, running
from requirements.service import service

PAUSE_S = 0.002  # between two attempts to reach the service


def size(directory: Path) -> int:
    """Return the bytes of all files below a directory, without symbolic links."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file() and not file.is_symlink())


def start_service(python: Path) -> float:
    """Start `inkling-serve` in an empty folder, and return the seconds to its first correct answer.

    Raises:
        ServerError: no answer in time, or a wrong one.
    """
    # Removes this machine's settings for a service or for Python.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("INKLING_", "PYTHON"))}
    command = [str(python.parent / "inkling-serve"), "--port", "{port}"]
    request, options = raw_tensor("/api/predict").request, {"env": environ, "stdout": subprocess.DEVNULL}
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        running(command, request, pause_s=PAUSE_S, cwd=elsewhere, **options) as server,  # type: ignore[arg-type]
    ):
        return server.start_s


def start_onnxruntime(python: Path) -> float:
    """Return the seconds of an interpreter that imports onnxruntime and exits."""
    started = time.perf_counter()
    subprocess.run([str(python), "-c", "import onnxruntime"], check=True)
    return time.perf_counter() - started


def measure(python: Path, n_rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each start by name, with one value per round. The order alternates."""
    starts: dict[str, Callable[[Path], float]] = {"service": start_service, "onnxruntime": start_onnxruntime}
    for start in starts.values():  # warm-up, which brings the files into memory
        start(python)
    seconds: dict[str, list[float]] = {name: [] for name in starts}
    for n_round in range(n_rounds):
        for name in sorted(starts, reverse=n_round % 2 == 1):
            seconds[name].append(round(starts[name](python), 4))
    return seconds


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    service, alone = (results["seconds"][name] for name in ("service", "onnxruntime"))
    return (
        f"## What an installed service takes\n\n`{results['origin']['command']}`, on {results['origin']['cpu']}. The "
        f"wheel, with the model and the page in it, has {results['wheel_bytes'] / 1e6:.2f} MB; an environment with the "
        f"{results['n_packages']} packages that the service needs, itself among them, "
        f"{results['environment_bytes'] / 1e6:.0f} MB, without pip. From the start of `inkling-serve` to the first "
        f"right answer it takes {ratio(service, alone)} times as long as an interpreter that imports onnxruntime and "
        f"ends, median (least to largest): {spread(service).median:.2f} s against {spread(alone).median:.2f} s."
    )


def main() -> None:
    """Print the figures, and write bench/results/install.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="number of starts")
    n_rounds, save = parser.parse_args().rounds, begin("install")
    with tempfile.TemporaryDirectory() as scratch:
        wheel, python = service(Path(scratch))
        figures = {
            "wheel_bytes": wheel.stat().st_size,
            "environment_bytes": size(python.parents[1]),
            "n_packages": len(list(python.parents[1].glob("lib/*/site-packages/*.dist-info"))),
        }
        try:
            seconds = measure(python, n_rounds)
        except ServerError as error:
            sys.exit(f"error: {error}")
    print(section(save(figures | {"seconds": seconds})))


if __name__ == "__main__":
    main()
