"""Measure the overhead of a sweep, and the gain from parallel trials.

python -m bench.sweeps [--trials 8]

Run short trials on the embedded images in a scratch copy of the project: sequentially on all cores, and in parallel
with one thread and one core each.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import RESULTS, origin
from pipeline.base.errors import InklingError
from pipeline.base.files import write_json
from pipeline.config.values import load_config
from pipeline.registry import store
from pipeline.reproduce import copy_project

TRIAL = ["size=demo", "train.epochs=3", "train.warmup_epochs=1"]
# Overrides of each sweep. Trials on one thread have other results: sums are rounded in another order.
SWEEPS = {
    "basic": ["hydra/launcher=basic"],
    "basic, one thread": ["hydra/launcher=basic", "runtime.threads=1"],
    "joblib": ["hydra/launcher=cores", "runtime.threads=1"],
    "Ray": ["hydra/launcher=ray_nodes", "runtime.threads=1"],
}


def run(project: Path, *arguments: str) -> float:
    """Run `python -m ...` in the copy, and return its wall time in seconds.

    Raises:
        InklingError: it failed.
    """
    started = time.perf_counter()
    if subprocess.run([sys.executable, "-m", *arguments], cwd=project, check=False).returncode:
        raise InklingError(f"python -m {' '.join(arguments)} failed; the message above says why")
    return time.perf_counter() - started


def measure(project: Path, launcher: list[str], n_trials: int) -> dict[str, float]:
    """Return the seconds of a sweep, and of its epochs without the start of TensorFlow and MLflow."""
    wall = run(project, "pipeline.train", "-m", *launcher, f"train.seed=range({n_trials})")
    trials = store.load_sweep(store.latest_sweep())
    if [trial.status for trial in trials] != ["FINISHED"] * n_trials:
        raise InklingError(f"some of the {n_trials} trials are not finished in MLflow")
    return {"wall_seconds": wall, "training_seconds": sum(trial.seconds for trial in trials)}


def summarize(measured: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return for each sweep the ratio of wall time to training time, and the speed-up over `basic`."""
    usual = measured["basic"]["wall_seconds"]
    return {
        name: {key: round(value, 1) for key, value in seconds.items()}
        | {
            "wall_to_training": round(seconds["wall_seconds"] / seconds["training_seconds"], 3),
            "speed_up": round(usual / seconds["wall_seconds"], 3),
        }
        for name, seconds in measured.items()
    }


def main() -> None:
    """Print the figures, and write bench/results/sweeps.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=8, help="trials of each sweep")
    n_trials = parser.parse_args().trials
    try:
        with tempfile.TemporaryDirectory(prefix="inkling-sweeps-") as directory:
            project = Path(directory) / "inkling"
            os.environ["MLFLOW_TRACKING_URI"] = (
                f"sqlite:///{project / 'mlflow.db'}"  # also in this process, to read the results
            )
            copy_project(project, TRIAL)
            for stage in ("download", "prepare"):
                run(project, f"pipeline.{stage}")
            measured = {name: measure(project, launcher, n_trials) for name, launcher in SWEEPS.items()}
    except InklingError as error:
        sys.exit(f"error: {error}")
    results = summarize(measured)
    write_json(RESULTS / "sweeps.json", origin(load_config()) | {"trials": n_trials, "sweeps": results})
    for name, figures in results.items():
        print(f"{name:>18}", *(f"{key} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
