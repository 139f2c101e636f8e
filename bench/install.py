"""What the installed service takes: the wheel, its environment, and its start against that of onnxruntime alone.

python -m bench.install [--rounds 10]

The environment has requirements/serving.txt and the wheel, compiled, without pip. A start is the time from the process
to the first right answer. In each round `import onnxruntime` is timed too, from start to end of the same interpreter.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import RESULTS, origin, service_origin
from bench.peers.jobs import raw_tensor
from bench.peers.server import PeerError, seconds_to_digit
from bench.rounds import ratio, spread
from pipeline.base.files import write_json
from pipeline.config.values import load_config
from requirements.service import service

PAUSE_S = 0.002  # between two questions whether it is up


def size(directory: Path) -> int:
    """Bytes of all files below a directory; of what links to other places, nothing."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file() and not file.is_symlink())


def start_service(python: Path) -> float:
    """Seconds from the start of `inkling-serve`, in an empty folder, to its first right answer; then it is ended.

    Raises:
        PeerError: there was none in time, or it was wrong.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    request = raw_tensor("/api/predict").request
    # None of what this machine has set for a service, nor of the checkout.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("INKLING_", "PYTHON"))}
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [str(python.parent / "inkling-serve"), "--port", str(port)]
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=elsewhere, env=environ, stdout=subprocess.DEVNULL) as process:
            starting_s = time.perf_counter() - started
            try:
                return starting_s + seconds_to_digit(process, ("127.0.0.1", port), request, PAUSE_S)
            finally:
                process.terminate()


def start_onnxruntime(python: Path) -> float:
    """Seconds that a Python takes that loads onnxruntime, and ends."""
    started = time.perf_counter()
    subprocess.run([str(python), "-c", "import onnxruntime"], check=True)
    return time.perf_counter() - started


def measure(python: Path, n_rounds: int) -> dict[str, list[float]]:
    """Seconds of each start by what is started, one value a round; the order changes from round to round."""
    starts: dict[str, Callable[[Path], float]] = {"service": start_service, "onnxruntime": start_onnxruntime}
    for start in starts.values():  # once before, so that the files are in memory
        start(python)
    seconds: dict[str, list[float]] = {name: [] for name in starts}
    for n_round in range(n_rounds):
        for name in sorted(starts, reverse=n_round % 2 == 1):
            seconds[name].append(round(starts[name](python), 4))
    return seconds


def main() -> None:
    """Print the figures, write bench/results/install.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="starts of each")
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
