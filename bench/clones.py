"""Run every stage in two clean clones, and compare the hashes of all outputs.

python -m bench.clones [override ...]

Without overrides it uses params.yaml, and takes twice as long as `make repro`. With size=smoke data.source=embedded it
takes minutes. The clones contain the last commit, and use this environment.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench import begin
from pipeline.base.errors import InklingError
from pipeline.base.paths import ROOT
from pipeline.config.values import dump, load_config

MADE_FROM = ("pipeline", "serving", "conf", "models", "params.yaml", "dvc.yaml", "dvc.lock")


def hashes(lock: str) -> dict[str, str]:
    """Return the hash of every output by its path, from the text of a dvc.lock."""
    stages = yaml.safe_load(lock)["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}


def differing(first: str, second: str) -> list[str]:
    """Return the paths of outputs that have different hashes or are in only one dvc.lock."""
    one, other = hashes(first), hashes(second)
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def reproduce_clone(directory: Path, overrides: list[str]) -> str:
    """Clone the last commit into `directory`, run every stage, and return the text of its dvc.lock.

    Raises:
        subprocess.CalledProcessError: a command failed, and printed the reason.
    """
    subprocess.run(["git", "clone", "-q", str(ROOT), str(directory)], check=True)
    if overrides:
        (directory / "params.yaml").write_text(dump(load_config(overrides)))
    # The clone gets its own MLflow store: its runs are not experiments of the caller.
    own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    subprocess.run([sys.executable, "-m", "pipeline.reproduce", "all"], cwd=directory, env=own, check=True)
    return (directory / "dvc.lock").read_text()


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/reproducibility.md."""
    return (
        f"`{results['origin']['command']}`: all {results['n_outputs']} outputs of two clean clones, made from the raw "
        "data, agree with each other and with `dvc.lock`."
    )


def main(overrides: list[str]) -> None:
    """Reproduce twice and compare. Without overrides, also with dvc.lock, and write bench/results/clones.json."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("overrides", nargs="*")
    overrides = parser.parse_args(overrides).overrides
    try:
        load_config(overrides)
    except InklingError as error:
        sys.exit(f"error: {error}")
    status = ["git", "status", "--porcelain", "--untracked-files=no", "--", *MADE_FROM]
    if not overrides and subprocess.run(status, cwd=ROOT, check=True, capture_output=True).stdout:
        sys.exit(f"error: commit the changes in {', '.join(MADE_FROM)} first: the clones contain the last commit")
    save = begin("clones")
    with tempfile.TemporaryDirectory(prefix="inkling-clones-") as scratch:
        locks = [reproduce_clone(Path(scratch) / name, overrides) for name in ("first", "second")]
    if not overrides:
        locks.append((ROOT / "dvc.lock").read_text())
    if different := {path for lock in locks[1:] for path in differing(locks[0], lock)}:
        sys.exit(f"the clones differ{'' if overrides else ', or dvc.lock does,'} in {', '.join(sorted(different))}")
    print(f"the clones agree in all {len(hashes(locks[0]))} outputs")
    if not overrides:
        print(section(save({"n_outputs": len(hashes(locks[0]))})))


if __name__ == "__main__":
    main(sys.argv[1:])
