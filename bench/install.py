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
from collections.abc import Callable
from pathlib import Path

from bench import RESULTS, origin, service_origin
from bench.peers.jobs import raw_tensor
from bench.peers.server import PeerError, free_address, seconds_to_digit
from bench.rounds import ratio, spread
from pipeline.base.files import write_json
from pipeline.config.values import load_config
from requirements.service import service

PAUSE_S = 0.002  # between two attempts to reach the service


def size(directory: Path) -> int:
    """Return the bytes of all files below a directory, without symbolic links."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file() and not file.is_symlink())


def start_service(python: Path) -> float:
    """Start `inkling-serve` in an empty folder, and return the seconds to its first correct answer.

    Raises:
        PeerError: no answer in time, or a wrong one.
    """
    address = free_address()
    request = raw_tensor("/api/predict").request
    # Removes this machine's settings for a service or for Python.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("INKLING_", "PYTHON"))}
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [str(python.parent / "inkling-serve"), "--port", str(address[1])]
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=elsewhere, env=environ, stdout=subprocess.DEVNULL) as process:
            starting_s = time.perf_counter() - started
            try:
                return starting_s + seconds_to_digit(process, address, request, PAUSE_S)
            finally:
                process.terminate()


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


def main() -> None:
    """Print the figures, and write bench/results/install.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="number of starts")
    n_rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        wheel, python = service(Path(scratch))
        figures = {
            "wheel_bytes": wheel.stat().st_size,
            "environment_bytes": size(python.parents[1]),
            "n_packages": len(list(python.parents[1].glob("lib/*/site-packages/*.dist-info"))),
        }
        try:
            seconds = measure(python, n_rounds)
        except PeerError as error:
            sys.exit(f"error: {error}")
    results = origin(load_config()) | service_origin() | figures | {"seconds": seconds}
    write_json(RESULTS / "install.json", results)
    for name, value in figures.items():
        print(f"{name:<18} {value:>12,}")
    for name, values in seconds.items():
        print(f"{name + ', s':<18} {spread(values)}")
    print(f"ratio              {ratio(seconds['service'], seconds['onnxruntime'])}")


if __name__ == "__main__":
    main()
