"""Run every stage in a clean clone, and compare the hashes of all outputs with those of dvc.lock.

python -m bench.clone

The clone contains the last commit, and uses this environment. It takes as long as `make repro` without any outputs.
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
from pipeline.base.paths import ROOT

MADE_FROM = ("pipeline", "serving", "conf", "models", "params.yaml", "dvc.yaml", "dvc.lock")


def hashes(lock: str) -> dict[str, str]:
    """Return the hash of every output by its path, from the text of a dvc.lock."""
    stages = yaml.safe_load(lock)["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}


def differing(first: str, second: str) -> list[str]:
    """Return the paths of outputs that have different hashes or are in only one dvc.lock."""
    one, other = hashes(first), hashes(second)
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/reproducibility.md."""
    return (
        f"`{results['origin']['command']}`: all {results['n_outputs']} outputs of a clean clone, made from the raw "
        "data, agree with `dvc.lock`."
    )


def main() -> None:
    """Reproduce, compare, and write bench/results/clone.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    status = ["git", "status", "--porcelain", "--untracked-files=no", "--", *MADE_FROM]
    if subprocess.run(status, cwd=ROOT, check=True, capture_output=True).stdout:
        sys.exit(f"error: commit the changes in {', '.join(MADE_FROM)} first: the clone contains the last commit")
    save = begin("clone")
    with tempfile.TemporaryDirectory(prefix="inkling-clone-") as scratch:
        subprocess.run(["git", "clone", "-q", str(ROOT), scratch], check=True)
        # The clone gets its own MLflow store: its runs are not experiments of the caller.
        own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        subprocess.run([sys.executable, "-m", "pipeline.reproduce", "all"], cwd=scratch, env=own, check=True)
        found = (Path(scratch) / "dvc.lock").read_text()
    expected = (ROOT / "dvc.lock").read_text()
    if different := differing(expected, found):
        sys.exit(f"error: the clone differs from dvc.lock in {', '.join(different)}")
    print(section(save({"n_outputs": len(hashes(expected))})))


if __name__ == "__main__":
    main()
