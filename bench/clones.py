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
from pathlib import Path

import yaml

from pipeline.base.errors import InklingError
from pipeline.base.paths import ROOT
from pipeline.config.values import dump, load_config


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


def main(overrides: list[str]) -> None:
    """Reproduce twice and compare. Without overrides, also compare with the committed dvc.lock."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("overrides", nargs="*")
    overrides = parser.parse_args(overrides).overrides
    try:
        load_config(overrides)
    except InklingError as error:
        sys.exit(f"error: {error}")
    with tempfile.TemporaryDirectory(prefix="inkling-clones-") as scratch:
        locks = [reproduce_clone(Path(scratch) / name, overrides) for name in ("first", "second")]
    if different := differing(*locks):
        sys.exit(f"the clones differ in {', '.join(different)}")
    print(f"the clones agree in all {len(hashes(locks[0]))} outputs")
    if not overrides:
        if different := differing(locks[0], (ROOT / "dvc.lock").read_text()):
            sys.exit(f"they differ from dvc.lock in {', '.join(different)}")
        print("and with dvc.lock")


if __name__ == "__main__":
    main(sys.argv[1:])
